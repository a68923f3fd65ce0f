"""The command line: options into a call, a report into an exit status. One small module per command."""
