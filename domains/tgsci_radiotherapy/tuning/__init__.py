"""From sensitivities to the next plan: effects of parameters, one figure for all goals, the best step by both."""
