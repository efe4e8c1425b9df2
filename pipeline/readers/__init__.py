"""Readers: turn one shard of a source into records, good ones and bad ones. `registry` lists the formats."""
