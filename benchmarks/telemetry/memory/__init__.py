"""What a process still holds after clients have sent whatever they like."""
