"""How the store does what it does: in a local folder, on an object store with copies on this machine."""
