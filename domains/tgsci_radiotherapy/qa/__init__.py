"""Quality assurance of a finished plan: `gamma` compares two doses, `robustness` shifts the patient."""
