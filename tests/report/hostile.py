"""Strings that attackers write into app names, paths and logs; none may do anything in any of the three forms."""

# ruff: noqa: E501, RUF001 - look-alike letters are what this file is about

from __future__ import annotations

HOSTILE: tuple[str, ...] = (
    # Markup and script
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>", "<svg/onload=alert`1`>", "<iframe src=javascript:alert(1)></iframe>",
    '"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='", "` onclick=alert(1) `", "</td></tr></table><h1>Owned</h1>",
    "</title><script>alert(1)</script>", "</style><script>alert(1)</script>", "</textarea><script>alert(1)</script>",
    "<!--", "-->", "<!--[if IE]><script>alert(1)</script><![endif]-->", "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>", "<?php echo 1 ?>", "<!DOCTYPE html>", "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example/x.css>", "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>", "<form action=//evil.example><input name=p></form>", "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)", "data:text/html;base64,PHNjcmlwdD4=", "<math><mi xlink:href=javascript:alert(1)>",
    "<details open ontoggle=alert(1)>", "<body onload=alert(1)>", "<object data=x>", "<embed src=x>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "&#x3c;img src=x onerror=alert(1)&#x3e;", "&amp;", "&nbsp;",
    "<", ">", "&", '"', "'", "<scr\x00ipt>alert(1)</scr\x00ipt>", "＜script＞alert(1)＜/script＞",
    "%3Cscript%3Ealert(1)%3C/script%3E", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    # Templates and SQL
    "{{7*7}}", "{% include '/etc/passwd' %}", "{{ ''.__class__.__mro__ }}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{#",
    "{{", "%}", "%s%s%n", "{0.__class__}", "'; DROP TABLE findings; --", "' OR '1'='1", "$tenant", "\\u003cscript",
    # Formulas
    "=1+1", "+1+1", "-1+1", "@SUM(1)", '=HYPERLINK("http://evil.example","x")', "=cmd|' /C calc'!A0",
    "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "   =1+1", '"=1+1', "'=1+1", "\ufeff=1+1", "\u200b=1+1", "\u00a0=1+1",
    "\u3000=1+1", "＝1+1", "＋1+1", "－1+1", "＠SUM(1)", "\x00=1+1", "\x1b=1+1", "“=1+1”", '=1+1","=2+2', ";=1+1", "%0A=1",
    "\ufeff \"'=1+1", "\u202e=1+1", "\u2212" + "1+1", "\u2028=1+1",
    # Terminals, directions, invisible characters
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\x\x1b]8;;\x1b\\", "\x9b31m", "\x07", "\x08\x08\x08",
    "\x7f", "a\rb", "a\nb", "a\r\nb,c", "\u202egnp.exe", "\u2066x\u2069", "\u200f\u200e", "zero\u200bwidth", "\u2028", "\u2029",
    "\u00ad", "\ufeff", "\ufffe", "\U000e0041\U000e0042", "\u2800", "\u3164", "Microsоft Teams", "e" + "\u0301" * 60,
    # Sizes and plain oddities
    "", " ", "A" * 5_000, "<b>" * 3_000, "=" * 2_000, "\u202e" * 400, "😀" * 500, "null", "NaN", "true", "0", "-0", "1e999",
    "../../etc/passwd", "C:\\Windows\\win.ini", "\\\\evil.example\\share", "CON", "a\x00b", "\\", '\\"', '""', ",", ";", "|", "ΑΒΓ", "日本語", "ضصث",
)  # fmt: skip
