"""Bring your own swarm: `mixwright fit` and `mixwright predict` on tables of weights and metrics from elsewhere.

swarm.py reads and checks the tables, config.py the choices beside them, fit.py goes from both to laws and a proposal,
folder.py reads what it wrote, predict.py and next.py go from there to other mixes, report.py says it to people. No Ray
and no store: a folder of small files.
"""
