"""What a service installs: request metrics, traces and ECS logs."""
