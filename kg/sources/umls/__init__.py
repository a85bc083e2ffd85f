"""A UMLS Metathesaurus to the two tables."""
