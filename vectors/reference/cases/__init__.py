"""What the files of vectors have in them: for each topic what holds, and what is refused and why."""

from . import (
    audited, backed_up, chained, disclosures, enrolments, held, mandated, published, requested, revocations, supervisions, totalled)

TOPICS = (
    published, requested, chained, disclosures, supervisions, revocations, mandated, held, backed_up, enrolments, totalled, audited)
