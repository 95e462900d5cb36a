"""Writes clip_clean.json: python make_clip_clean.py (CPython 3.11, ftfy 6.3.1).

`clean` is OpenAI's basic_clean, whitespace_clean and lower (clip/simple_tokenizer.py, MIT).
"""

import html
import json
import pathlib
import re
import sys

import ftfy


def clean(text):
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return re.sub(r"\s+", " ", text).strip().lower()


TEXTS = [
    "a photo of a cat.", "AT&amp;T", "AT&amp;amp;T", "AT&amp;amp;amp;T", "AT&ampT", "this&notit", "this &not that", "&lt;b&gt;",
    "a < b &amp; c", "a <b> &eacute;", "P&EACUTE;REZ", "P&eacute;rez", "BUNDESSTRA&SZLIG;E", "&ntilde; &Ntilde; &NTILDE; &nTILDE;",
    "&Jscr;ohn &HilbertSpace;ancock", "&checkmark;", "&#39;s", "&#x27;s", "&#X27;", "&#128;", "&#x80;", "&#150;", "&#0;", "&#1;", "&#xfffe;",
    "&#x1ffff;", "&#xD800;", "&#99999999999;", "&#;", "&#x;", "&;", "&&amp;", "&unknown;", "&ampersand;", "&AMP;", "&COPY", "&copysr;",
    "&nbsp;cat&nbsp;&nbsp;dog&nbsp;", "\u201ccurly\u201d \u2018single\u2019 \u201alow\u201b", "don\u2019t", "\u02bcapostrophe",
    "cafe\u0301", "Cafe\u0301 &amp; Bar", "cafe&#x301;", "<i>cafe&#x301;</i>", "\ufb01sh and \ufb02ower \ufb03 \ufb05", "\u01c4ungla",
    "\uff2c\uff2f\uff35\uff24\u3000\uff2e\uff2f\uff29\uff33\uff25\uff33", "\uff35\uff80\uff70\uff9d", "\uffe1 \uffe5 \uffda",
    "tab\tand\r\nline\rbreak\u2028x\u2029y", "  many   spaces  ", "a\u00a0b", "zero\u200bwidth", "bom\ufeff here", "bell\u0007", "\u001b[31mred\u001b[0m",
    "\u001b[31", "soft\u00adhyphen", "object\ufffc", "\u039f\u0394\u039f\u03a3", "\u0130stanbul", "Stra\u00dfe", "\u00c5ngstr\u00f6m A\u030angstro\u0308m",
    "2012 Ram C/V", "colt's foot", "St. Bernard", "kite (bird of prey)", "m&m's", "R&D &", "&lt", "&amp;lt;", "100&percnt;", "&quot;x&quot;",
    "one\ntwo < three\nfour &amp; five", "\u7530\u4e2d\u3055\u3093", "\u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u042f\u0417\u042b\u041a", "\U0001f600 smile",
    "\u212b", "\u1e9e", "&ThickSpace;x", "&NotEqualTilde;", "&fjlig;ord", "\u0149", "\u0132\u0133", "x\u0085y",
]

cases = ",\n".join(json.dumps({"text": text, "clean": clean(text)}) for text in TEXTS)
made_with = f"CPython {sys.version.split()[0]}, ftfy {ftfy.__version__}"
FILE = pathlib.Path(__file__).with_name("clip_clean.json")
FILE.write_text(f'{{\n"made_with": {json.dumps(made_with)},\n"cases": [\n{cases}\n]\n}}\n')
