"""Suspending, appeals, closing and acting as a merchant: what happens around the models of that name."""
