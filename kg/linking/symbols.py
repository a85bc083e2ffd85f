"""Symbols of genes, which are spelled like abbreviations of anything: HR, IV, C5, CPAP.

A text that writes HR mostly means a heart rate or a hazard ratio. So a symbol names its gene where
the text speaks of genes beside it, or where it looks like nothing else (BRCA1, COL1A2).
"""

import re
from collections.abc import Iterable, Sequence

from kg.linking.normalise import fold, is_acronym

__all__ = ["evident", "is_gene", "is_symbol", "speaks_of_genes"]

_GENE_TYPE = re.compile(r"\bgenes?\b|T028$", re.IGNORECASE)

_GENE_WORDS = """
allele allelic carrier codon deletion downregulated exon expressed expressing expression gene
genetic genotype genotyped genotyping germline haplotype heterozygous homozygous intron isoform
knockdown knockout loci locus mRNA mutant mutated mutation overexpressed overexpression
polymorphism promoter RNA SNP transcript transcription upregulated variant
"""

_FOLDED = frozenset(map(fold, _GENE_WORDS.split()))


def is_gene(semantic_types: Iterable[str]) -> bool:
    """Whether a concept of these types is a gene: HPO's "gene", UMLS's "Gene or Genome" (T028)."""
    return any(_GENE_TYPE.search(kind) for kind in semantic_types)


def is_symbol(key: str) -> bool:
    """Whether a gene's key may be an abbreviation of something else: one word of capitals.

    Three letters with a digit (BRCA1) are the gene.
    """
    word = key.rstrip()
    letters = sum(map(str.isalpha, word))
    return is_acronym(word) and (letters < 3 or letters == len(word))


def evident(words: Sequence[str], place: int) -> bool:
    """Whether the text (folded words) means the gene by the symbol at `place`.

    A word of genes stands no farther than the symbol has letters: the shorter, the more else it may
    mean. A number behind two letters (mutated: HR 1.9) makes them a quantity.
    """
    reach = len(words[place])
    if reach < 3 and "".join(words[place + 1 : place + 2]).isdigit():
        return False
    return speaks_of_genes(words[max(0, place - reach) : place + reach + 1])


def speaks_of_genes(words: Iterable[str]) -> bool:
    """Whether one of the folded words is of genes."""
    return not _FOLDED.isdisjoint(words)
