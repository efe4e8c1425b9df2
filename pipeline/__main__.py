"""`python -m pipeline …` is the command line, for Ray jobs whose entrypoint has no installed script."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
