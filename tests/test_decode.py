"""Bytes become text in the one charset that fits, HTML becomes lines, and everything else is refused by name."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.decode import decode, magic
from chalicelib.decode.html import elements
from chalicelib.errors import ReportError

TEXT = "稽东镇2023年度总结\n全年完成投资1.2亿元,同比增长5%,香榧产业做强。\n"
RARE = "湖㳇镇、㙦䢺"
PAGE = "<html><head><meta charset={charset}></head><body><p>稽东镇2023年工作总结</p></body></html>"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        pytest.param(TEXT.encode(), "utf-8", id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), "utf-8", id="UTF-8 with a mark"),
        pytest.param(TEXT.encode("gbk"), "gb18030", id="GBK"),
        pytest.param((TEXT + RARE).encode("gb18030"), "gb18030", id="GB18030 with four-byte characters"),
        pytest.param(b"\x84\x31\x95\x33" + TEXT.encode("gb18030"), "gb18030", id="GB18030 with a mark"),
        pytest.param(b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16-le", id="UTF-16 little-endian"),
        pytest.param(b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be", id="UTF-16 big-endian"),
        pytest.param(TEXT.encode("utf-16-le"), "utf-16-le", id="UTF-16 little-endian without a mark"),
        pytest.param(TEXT.encode("utf-16-be"), "utf-16-be", id="UTF-16 big-endian without a mark"),
        pytest.param(TEXT.encode("utf-32"), "utf-32-le", id="UTF-32"),
        pytest.param("联通".encode("gbk"), "gb18030", id="GBK that is valid UTF-8 too"),
        pytest.param(TEXT.encode() + "镇".encode()[:2], "utf-8", id="UTF-8 cut inside a character"),
        pytest.param(TEXT.encode("gbk") + "镇".encode("gbk")[:1], "gb18030", id="GBK cut inside a character"),
    ],
)
def test_the_charset_is_found(data: bytes, encoding: str) -> None:
    document = decode(data, "报告.doc")
    assert (document.encoding, document.format) == (encoding, "text")
    assert document.text.startswith(("稽东镇2023年度总结\n全年完成投资1.2亿元,", "联通"))


@pytest.mark.parametrize(
    ("charset", "encoding", "found"),
    [
        pytest.param("gb2312", "gb18030", "gb18030", id="gb2312 declared, GB18030 inside"),
        pytest.param("gb2312", "utf-8", "utf-8", id="gb2312 declared, UTF-8 inside"),
        pytest.param("utf-8", "gbk", "gb18030", id="utf-8 declared, GBK inside"),
        pytest.param("iso-8859-1", "gbk", "gb18030", id="Latin-1 declared, GBK inside"),
        pytest.param('"utf-16"', "utf-8", "utf-8", id="utf-16 declared, UTF-8 inside"),
        pytest.param("utf-8", "utf-16", "utf-16-le", id="utf-8 declared, UTF-16 with a mark inside"),
    ],
)
def test_a_declared_charset_does_not_beat_the_bytes(charset: str, encoding: str, found: str) -> None:
    document = decode(PAGE.format(charset=charset).encode(encoding), "a.html")
    assert (document.text, document.encoding, document.format) == ("稽东镇2023年工作总结", found, "html")


def _zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("word/document.xml", TEXT)
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        pytest.param(b"", "empty", "empty", id="no bytes"),
        pytest.param(b" \r\n\t \n", "empty", "empty", id="white space"),
        pytest.param(b"\xef\xbb\xbf", "empty", "no visible text", id="a mark alone"),
        pytest.param(
            b"<html><body><script>1</script></body></html>", "empty", "no visible text", id="a page of script"
        ),
        pytest.param(_zip(), "not_text", "docx", id="a Word document"),
        pytest.param(bytes(range(256)) * 4, "not_text", "byte 0 is zero", id="binary"),
        pytest.param(TEXT.encode() + b"\x01\x02\x03\x04\x05", "not_text", "line 3", id="control characters"),
        pytest.param("本鎮年度工作總結報告如下。".encode("big5") * 9, "unknown_charset", "Big5", id="Big5"),
        pytest.param("Jahresbericht für Übersee".encode("latin-1"), "unknown_charset", "byte 15", id="Latin-1"),
        pytest.param(
            TEXT.encode() + b"\xff" + TEXT.encode(), "unknown_charset", f"byte {len(TEXT.encode())}", id="one"
        ),
        pytest.param(b"\xff\xfe\x00\xd8\x41\x00", "unknown_charset", "byte 2", id="UTF-16 with half a character"),
        pytest.param(b"<body>" + b"<div>" * 9000, "not_text", "nests", id="elements without end"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(data: bytes, code: str, said: str) -> None:
    with pytest.raises(ReportError) as caught:
        decode(data, "../报告.txt")
    assert caught.value.code == code
    assert said in caught.value.detail
    assert caught.value.way_out


@pytest.mark.parametrize(("mark", "what"), [(mark, what) for mark, what, _ in magic.KINDS])
def test_a_known_binary_format_is_named(mark: bytes, what: str) -> None:
    with pytest.raises(ReportError) as caught:
        decode(mark + TEXT.encode(), "报告.txt")
    assert (caught.value.code, what in caught.value.detail) == ("not_text", True)


@pytest.mark.parametrize(("offset", "mark", "what"), [(at, mark, what) for at, mark, what, _ in magic.INNER])
def test_a_binary_format_with_its_mark_further_in_is_named(offset: int, mark: bytes, what: str) -> None:
    with pytest.raises(ReportError) as caught:
        decode(b"R" * offset + mark + TEXT.encode(), "报告.txt")
    assert what in caught.value.detail


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>一、<span>工作</span><b>总结</b></p>", "一、工作总结"),
        ("<p>第一段<br>第二段</p>第三段", "第一段\n第二段\n第三段"),
        ("<p>完成投资\n      3亿元</p>", "完成投资 3亿元"),
        ("<p>各项工作\n      稳中有进</p>", "各项工作稳中有进"),
        ("<p>&nbsp;&nbsp;&nbsp;镇长&nbsp;某某</p>", "镇长 某某"),
        ("<ul><li>甲</li><li>乙</ul>", "甲\n乙"),
        (
            "<table><tr><th>指标</th><th>完<br>成数</th></tr><tr><td>税收</td><td>1亿元</td></tr></table>",
            "指标 | 完成数\n税收 | 1亿元",
        ),
        ("<table><tr><td>索引号</td><td></td><td>文号</td></tr></table>", "索引号 |  | 文号"),
        ("<table><tr><td><p>一段</p><p>二段</p></td></tr></table>", "一段\n二段"),
        ("<table><tr><td><table><tr><td>甲</td><td>乙</td></tr></table></td></tr></table>", "甲 | 乙"),
        ("<p>甲</p><p style='display: none'>乙</p><p hidden>丙</p><noscript>丁</noscript><!--戊-->", "甲"),
        ("<p>甲</p><script>document.write('乙')</script><style>p{}</style><select><option>丙</select>", "甲"),
        ("<pre>甲\n乙</pre>", "甲\n乙"),
        ("<div>甲<p>乙</div>丙", "甲\n乙\n丙"),
        ("<p>甲&lt;乙&amp;丙</p>", "甲<乙&丙"),
        ("<p>甲<a href='x'>乙", "甲乙"),
    ],
)
def test_html_becomes_lines(html: str, text: str) -> None:
    assert decode(f"<!DOCTYPE html><html><body>{html}</body></html>".encode(), "").text == text


@pytest.mark.parametrize(
    "tag", sorted(elements("blocks") - {"tr", "td", "th", "caption", "tbody", "thead", "tfoot", "table"})
)
def test_every_block_element_ends_the_line(tag: str) -> None:
    if tag in {"body", "html", "hr"}:
        assert decode(f"<html><body>甲<{tag}>乙</body></html>".encode(), "").text == (
            "甲\n乙" if tag == "hr" else "甲乙"
        )
    else:
        assert decode(f"<html><body>甲<{tag}>乙</{tag}>丙</body></html>".encode(), "").text == "甲\n乙\n丙"


@pytest.mark.parametrize("tag", sorted(elements("unseen") - {"img", "input", "embed", "colgroup", "head", "math"}))
def test_every_unseen_element_is_left_out(tag: str) -> None:
    assert decode(f"<html><body><p>甲<{tag}>乙</{tag}></p></body></html>".encode(), "").text == "甲"


@pytest.mark.parametrize("selector", sorted(elements("main")))
def test_every_main_container_is_found(selector: str) -> None:
    name = selector.lstrip("#.")
    opened = (
        f"<div class='{name}'>" if selector[0] == "." else f"<div id='{name}'>" if selector[0] == "#" else f"<{name}>"
    )
    prose = "全年完成固定资产投资二点三亿元，各项工作稳中有进。" * 8
    document = decode(f"<body><div>首页</div>{opened}<p>{prose}</p></div></{name}><div>主办</body></html>".encode(), "")
    assert document.main is not None
    assert document.text[slice(*document.main)].strip() == prose


def test_metadata_of_the_page_is_kept() -> None:
    head = (
        "<title> 稽东镇2023年度总结 - 柯桥区 </title><meta name='ArticleTitle' content='稽东镇2023年度总结'>"
        "<meta name='PubDate' content='2024-03-26 11:17'><meta name='empty' content=''><link rel=canonical href='http://a/b'>"
    )
    assert decode(f"<html><head>{head}</head><body>甲</body></html>".encode(), "").meta == {
        "title": "稽东镇2023年度总结 - 柯桥区",
        "articletitle": "稽东镇2023年度总结",
        "pubdate": "2024-03-26 11:17",
        "url": "http://a/b",
    }


def test_text_with_angle_brackets_is_no_html() -> None:
    document = decode("<2023年>工作总结\n亩均税收<10万元/亩的企业3家,>50万元/亩的2家。".encode(), "a.html")
    assert (document.format, document.text.startswith("<2023年>")) == ("text", True)


def test_line_ends_of_all_systems_become_one() -> None:
    assert decode("甲\r\n乙\r丙\u2028丁".encode(), "").text == "甲\n乙\n丙\n丁"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
@example(b"\xff\xfe\x00")
@example(b"<!--")
@example(b"<html>\xe7")
@example(b"<P")
def test_any_bytes_give_a_document_or_a_refusal(data: bytes) -> None:
    assert _outcome(data) in {"text", "html", "empty", "not_text", "unknown_charset", "cut_off"}


def _outcome(data: bytes) -> str:
    """The format of a document that holds up, or the code of the refusal; any other exception fails the test."""
    try:
        document = decode(data, "x")
    except ReportError as refusal:
        return refusal.code
    assert document.text.strip()
    assert not {"\x00", "\r"} & set(document.text)
    return document.format


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("<>/pbdivtrable 镇年\n&;=\"'!-"), max_size=120))
@example("<!--")
def test_any_markup_gives_a_document_or_a_refusal(markup: str) -> None:
    assert _outcome(f"<html><body>{markup}</body></html>".encode()) in {"html", "empty", "cut_off"}


WORDS = "<p>全年完成投资3亿元，新增企业5家。</p>"


@pytest.mark.parametrize(
    ("source", "place"),
    [
        pytest.param(f"<html><body>{WORDS}\n<p>新建公路", "line 2", id="in a sentence"),
        pytest.param(f"<html><body>{WORDS}<div cla", "line 1", id="in a tag"),
        pytest.param(f"<html><body><div>{WORDS}", "line 1", id="with containers open"),
        pytest.param(f"<div>{WORDS}</div><p", "line 1", id="in a tag of a part of a page"),
        pytest.param(f"{WORDS}\n<p>新建公路12公里，改造", "line 2", id="in a sentence of a part of a page"),
        pytest.param(
            f"<html><script>'</body>'</script><body>{WORDS * 5}<p>新建", "line 1", id="with an end in a script"
        ),
        pytest.param(f"<html><body><!-- </html> -->{WORDS * 5}<p>新建", "line 1", id="with an end in a comment"),
    ],
)
def test_a_page_that_breaks_off_is_refused_with_the_place(source: str, place: str) -> None:
    with pytest.raises(ReportError) as caught:
        decode(source.encode())
    assert (caught.value.code, caught.value.extra["place"]) == ("cut_off", place)


@pytest.mark.parametrize(
    "source",
    [
        f"<html><body>{WORDS}",
        f"<div>{WORDS}</div>",
        f"{WORDS}<p>新建公路12公里。",
        f"{WORDS}责任编辑",
        f"<html><body>{WORDS}</body>",
    ],
)
def test_a_page_may_leave_out_what_html_lets_it(source: str) -> None:
    assert decode(source.encode()).text.startswith("全年完成投资3亿元，新增企业5家。")
