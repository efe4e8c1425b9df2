"""`mixwright init`: look at a folder of data or names on the hub, and write a first YAML with comments."""
