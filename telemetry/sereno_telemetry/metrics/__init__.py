"""What every metric of this package stands on: bounded families, bucket bounds, exposition, its own health."""
