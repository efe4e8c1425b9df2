"""What a store on an object store needs: calls that are tried again, names that stay inside, copies on this machine."""
