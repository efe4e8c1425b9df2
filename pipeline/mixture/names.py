"""Names that a YAML may give to laws, design methods and recipes. They stand here without what they name, which brings
scikit-learn and SciPy: a mix is checked, and the command line speaks, without them."""

LAWS = ("linear", "log_linear", "bent", "power", "quadratic", "ridge", "gaussian_process", "lightgbm", "blend")
METHODS = ("spread", "dirichlet", "space_filling", "d_optimal", "d_optimal_linear", "corners")
RECIPES = ("regmix", "olmix")
