"""Exports: a run's mix, and the documents it was chosen for, as the tools of trainers read them.

A format is a file of this folder and a line in `registry.FORMATS`. `mix` reads the run, `folder` writes the files,
`texts` and `ids` pass the selected documents on as text or as token ids; docs/export.md says what each format holds.
"""
