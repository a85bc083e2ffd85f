"""Words that name a concept in some vocabulary and mean nothing where no corpus says otherwise.

HPO calls its root "All" and UMLS has a concept "Finding": linked wherever they stand in a text they
would fill a prompt with noise. So would one-word names of what only qualifies other concepts:
"transient", "focal". `kg.link fit` replaces these rules by what a corpus shows.
"""

from collections.abc import Collection

__all__ = ["FUNCTION_WORDS", "GENERIC", "qualifies"]

_FUNCTION_WORDS = """
a about above after again against all also although among an and any are as at be because been
before being below between both but by can cannot could did do does doing done down due during each
either else etc even ever every few for from further get give go had has have having he hence her
here hers him his how however i if in into is it its itself last least less made make many may me
might mine more most much must my neither never next no none nor not now of off often on once one
only onto or other others our out over own part per please put rather re same see seem several she
should show side since so some still such take ten than that the their them then there these they
this those though through thus to together too top toward two under until up upon us very via was we
well were what when where whether which while who whole whom whose why will with within without
would yes yet you your three four five six first second third
"""

_STUDY_WORDS = """
ability absence activity addition age aim analysis answer approach area aspect assessment
association author average background basis benefit body case cause change characteristic choice
clinic clinical combination comparison complication concept conclusion condition context control
course criteria data day decrease degree design detection determination development diagnosis
difference disease disorder distribution effect effective efficacy evaluation event evidence
examination experience experiment exposure expression factor feature female finding following form
frequency function gene general group health high history hospital hour human hypothesis impact
implication importance improvement incidence increase index individual information interaction
intervention investigation kind known level life limit list literature long loss low male man
management measure measurement mechanism medical medicine member method model month name need new
normal number objective observation occurrence onset option outcome parameter participant
pathway patient pattern people performance period person phenotype phenotypic population positive
negative possible potential practice presence present presentation prevalence procedure process
prognosis property protein protocol purpose quality question range rate ratio reason relation
relationship report research response result review risk role sample scale score selection set
setting severity sex sign significance significant site size specific stage standard state status
strategy structure study subject surgery survey symptom syndrome system technique term test therapy
time tissue total treatment trial type use value variable variation week woman work year
"""

_MODIFIERS = """
acute affected bilateral central chronic diffuse distal excluded fall frequent generalized healthy
intensity intermittent lateral left localized mild moderate peripheral persistent position
progressive prolonged proximal recurrent right severe stable unilateral
"""

_ORDINARY_WORDS = """
aspiration blood collecting corn cutting dullness hypersensitivity illusion jumping ordering
unaffected unresponsive
"""
"""Vocabularies have them for one narrow sense: "Cutting" is Self-cutting."""

FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())

GENERIC = frozenset((_FUNCTION_WORDS + _STUDY_WORDS + _MODIFIERS + _ORDINARY_WORDS).split())
"""In the singular; a name that consists of one of them is not linked by default."""

_QUALIFYING = frozenset(
    [
        "clinical modifier", "frequency", "mode of inheritance",  # HPO's branches
        "Functional Concept", "Idea or Concept", "Qualitative Concept", "Quantitative Concept",
        "Spatial Concept", "Temporal Concept",  # of the UMLS
    ]
)  # fmt: skip
"""Semantic types of what is said of a finding and is none."""


def qualifies(semantic_types: Collection[str]) -> bool:
    """Whether a concept of these types only qualifies others."""
    return bool(semantic_types) and _QUALIFYING.issuperset(semantic_types)
