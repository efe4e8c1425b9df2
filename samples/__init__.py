"""Sample data, and the scripts that rebuild it from registry packages (see README.md)."""
