"""What the domain tells a search besides the loss: families, changes, contrasts, expectations, the pocket.

Every hook takes trials and texts as they come, from models and from old runs too: what cannot be read gives "" or None.
"""
