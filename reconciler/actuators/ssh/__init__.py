"""What an ESXi shell does: the commands of each verb, by version, and running them."""
