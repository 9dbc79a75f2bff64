"""Why a dossier's dates are what they are, and what each side has to do by when."""
