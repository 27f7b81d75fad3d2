"""`tgsci molecules targets`: what there is to dock into."""

from __future__ import annotations

from tgsci.basics.texts import quote
from tgsci.cli.command import command, option
from tgsci.errors import UsageError
from tgsci.show.tables import print_table

_HEADER = ("target", "protein", "UniProt", "species", "also known as", "residue numbers")


@command("targets", epilog="A target may also be named by a synonym: --target thrombin is --target F2.")
@option("--match", default="", metavar="TEXT", help="only those whose symbol, protein or synonym has TEXT")
def targets(match: str) -> int:
    """List the built-in targets. `tgsci molecules prepare` makes more, of your own proteins."""
    from ..target.names import matching, proteins, suggestions
    from ..target.numbering import builtin_numbering
    from ..target.targets import target_names

    names = [name for name in matching(match) if name in target_names()]
    if not names:
        near = suggestions(match)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise UsageError(
            f"no target contains {quote(match, 60)} in its names; {hint}there are {len(target_names())} without --match"
        )
    rows = []
    for name in names:
        protein = proteins()[name]
        synonyms = ", ".join(protein.synonyms)
        rows.append([name, protein.name, protein.uniprot, protein.species, synonyms, builtin_numbering(name).scheme])
    print_table(_HEADER, rows, left=_HEADER, unbroken=("target", "UniProt"), titled=False)
    return 0
