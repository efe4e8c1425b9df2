"""PDF files that the tests make themselves: pages of printed lines, and the same as scans."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence

LEADING = 16


def write_pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Return a PDF of numbered objects, the first of which is the catalogue."""
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return out


def stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    return b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n%s\nendstream" % (len(packed), entries, packed)


def printed(pages: Sequence[Sequence[str]], info: str = "", trailer: bytes = b"", box: str = "0 0 612 792") -> bytes:
    """Return a PDF with a text layer: every page is a list of lines, set in Helvetica."""
    kids = b" ".join(b"%d 0 R" % (5 + 2 * i) for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< %s >>" % info.encode(),
    ]
    for i, lines in enumerate(pages):
        shown = b" ".join(b"(%s) Tj T*" % _escaped(line) for line in lines)
        content = b"BT /F1 12 Tf %d TL 72 740 Td %s ET" % (LEADING, shown) if lines else b""
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
            % (box.encode(), 6 + 2 * i)
        )
        objects.append(stream(content))
    return write_pdf(objects, b"/Info 4 0 R " + trailer)


def _escaped(line: str) -> bytes:
    return line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def scanned(pdf: bytes, dpi: int = 200) -> bytes:
    """Return a PDF whose pages are images of another's: nothing of its text is left but the ink."""
    import pypdfium2

    source, copy = pypdfium2.PdfDocument(pdf), pypdfium2.PdfDocument.new()
    for page in source:
        width, height = page.get_size()
        image = pypdfium2.PdfImage.new(copy)
        image.set_bitmap(page.render(scale=dpi / 72, grayscale=True))
        image.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
        target = copy.new_page(width, height)
        target.insert_obj(image)
        target.gen_content()
    out = io.BytesIO()
    copy.save(out)
    return out.getvalue()


ENCRYPTED = printed(
    [["secret"]],
    # The entries of a standard handler; no password, least of all the empty one, opens what they are not made for.
    trailer=b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<%s> <%s>]"
    % (b"41" * 32, b"42" * 32, b"43" * 16, b"43" * 16),
)
