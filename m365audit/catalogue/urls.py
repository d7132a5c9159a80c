"""SQL text that turns a logged request URI into a path and into a shape; knows the grammar, not the calls.

The text is DuckDB SQL (1.5 and later; RE2). The *path* keeps the ids as they were logged, so that a resource can be
cut out of it; the *shape* is the path in lower-case with ids masked as ``~``: millions of URLs become thousands of
shapes, which ``match_shapes`` names. Segment N of the path is segment N of the shape.
"""

from __future__ import annotations

from typing import Final

_ORIGIN: Final = r"^(?i:[a-z][a-z0-9+.-]*://[^/]*)?/*(?i:(?:v[0-9]+(?:\.[0-9]+)?|beta)(?:/+|$))?"
"""Scheme, host and version: none of them is part of a template."""

_KEY: Final = (
    r"\((?i:(?:appid|userprincipalname|deviceid|uniquename|roletemplateid|objectid|securityidentifier|mail|mailnickname"
    r"|id)=)?"
    r"(?:''((?:[^'']|'''')*)''|([A-Za-z0-9_-]+))\)"
)
"""An OData key, ``('x')`` or ``(appId='x')``: it becomes a segment of its own."""

_ARGUMENTS: Final = r"\((?:[^''()]|''[^'']*'')*\)"
"""Arguments of a function: dropped, so that the function's name is the segment."""

_ID: Final = r"[^a-z0-9._$-]|[0-9]{4}|[0-9][^0-9]+[0-9]"
"""What no literal segment of Microsoft's templates has: a strange character, four digits, or two groups of digits."""

LONGEST_LITERAL: Final = 79
"""No segment of Microsoft's templates is longer; what is longer is an id."""
_SHORTEST_ID: Final = 8
_DEEPEST: Final = 33


def path_sql(uri: str) -> str:
    """Return a SQL expression for the normalised path of the request URI in column (or expression) ``uri``.

    Host, version, query and fragment are gone, ``//`` is one slash, percent-encoding is undone (an encoded slash and
    an encoded percent sign stay), ``users('x')`` is ``users/x``, function arguments are dropped, no slash at the end;
    always begins with a slash. Malformed encoding is left as it is. NULL stays NULL.
    """
    raw = f"split_part({uri}, '?', 1)"
    plain = f"regexp_replace({raw}, '{_ORIGIN}', '/')"
    # A fragment never reaches a server; `#EXT#` in a guest's name does.
    whole = f"regexp_extract({raw}, '^(?:[^#]|#(?i:ext)#)*')"
    decoded = rf"coalesce(try(url_decode(regexp_replace({whole}, '%(25|2[fF]|00)', '%25\1', 'g'))), {whole})"
    keys = rf"regexp_replace(regexp_replace({decoded}, '{_ORIGIN}', '/'), '{_KEY}', '/\1\2', 'g')"
    calls = f"regexp_replace({keys}, '{_ARGUMENTS}', '', 'g')"
    folded = f"replace(regexp_replace({calls}, '/{{2,}}', '/', 'g'), '''''', '''')"
    odd = f"contains({raw}, '%') OR contains({raw}, '(') OR contains({raw}, '#') OR contains(substr({raw}, 9), '//')"
    return f"('/' || trim(CASE WHEN {odd} THEN {folded} ELSE {plain} END, '/ '))"


def shape_sql(path: str) -> str:
    """Return a SQL expression for the shape of a path made by ``path_sql``."""
    is_id = (
        f"strlen(x) > {LONGEST_LITERAL} OR contains(x, '@') "
        f"OR (strlen(x) >= {_SHORTEST_ID} AND regexp_matches(x, '{_ID}'))"
    )
    # Everything behind `root:` or `items/<id>:` is a file's path: one mark, however deep.
    file_path = rf"regexp_replace({path}, '((?i:/items|/sites|/drives?)/[^/]*|(?i:/root)):/.*$', '\1/~')"
    short = f"CASE WHEN contains({path}, ':/') THEN {file_path} ELSE {path} END"
    masked = f"lambda x: CASE WHEN {is_id} THEN '~' ELSE x END"
    return f"array_to_string(list_transform(string_split(lower({short}), '/')[1:{_DEEPEST}], {masked}), '/')"


def segment_sql(path: str, index: str) -> str:
    """Return a SQL expression for segment ``index`` (an expression, 1-based) of a path; NULL when there is none."""
    return f"CASE WHEN {index} > 0 THEN nullif(split_part({path}, '/', {index} + 1), '') END"


def folded_operation_sql(operation: str) -> str:
    """Return a SQL expression that folds an audit operation's name as the catalogue spells it.

    Lower-case, every kind of dash is ``-``, runs of blanks are one, no blanks or full stops at the end.
    """
    blanks = rf"regexp_replace({operation}, '[\s\x{{00A0}}]+', ' ', 'g')"
    dashes = rf"regexp_replace({blanks}, '[\x{{2010}}-\x{{2015}}\x{{2212}}\x{{FE58}}\x{{FE63}}\x{{FF0D}}]', '-', 'g')"
    return f"lower(rtrim(trim({dashes}), '. '))"
