"""What an ESXi shell shows, by version."""
