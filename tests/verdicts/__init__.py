"""A naive second implementation of the verdict, a runner for the product's, and cases as data."""
