"""Plan and report as text, JSON, YAML and Markdown. Pure: no clock, no terminal, no files."""
