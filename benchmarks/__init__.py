"""What Sereno claims, measured: every figure of the documentation has its command here."""
