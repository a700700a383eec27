"""Independent judges: they evaluate equations and know nothing of the calculus."""
