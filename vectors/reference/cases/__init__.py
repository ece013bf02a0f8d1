"""What the files of vectors have in them: for each topic what holds, and what is refused and why."""

from . import disclosures, mandated, revocations, supervisions

TOPICS = (disclosures, supervisions, revocations, mandated)
