"""What the files of vectors have in them: for each topic what holds, and what is refused and why."""

from . import disclosures

TOPICS = (disclosures,)
