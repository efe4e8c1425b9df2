"""The parts of `samples/build.py`: one module fetches packages, one builds each kind of source."""
