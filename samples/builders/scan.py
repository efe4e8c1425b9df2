"""Draw a page with a font and degrade the image as old paper, bad optics and a cheap scanner would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter  # pyright: ignore[reportMissingImports]
from PIL.ImageFont import FreeTypeFont  # pyright: ignore[reportMissingImports]

from samples.builders.layout import Page

MARGIN = 70  # pixels of white around the text
LEADING = 1.32  # line distance over font size


@dataclass(frozen=True)
class Damage:
    """How a page is degraded: upper ends of the ranges its values are drawn from."""

    name: str
    scale: float  # smallest resolution, relative to the drawn page
    blur: float  # Gaussian radius, pixels
    noise: float  # SD of grey noise, levels of 255
    speckle: float  # share of pixels turned black or white
    rotation: float  # degrees either way
    shade: float  # depth of uneven lighting, share of white
    ink: float  # lightest ink, levels of 255
    worn: float  # share of the page that lost ink, in patches
    grain: float  # SD of noise as coarse as a stroke, levels of 255: it breaks and joins letters
    bilevel: bool  # black and white only, as from a microfilm


DAMAGES = (
    Damage("light", 0.80, 0.7, 10, 0.0005, 0.3, 0.15, 70, 0.10, 12, False),
    Damage("medium", 0.58, 1.0, 10, 0.0004, 0.5, 0.18, 85, 0.10, 21, True),
    Damage("heavy", 0.56, 1.0, 11, 0.0004, 0.6, 0.20, 90, 0.12, 25, True),
)


def draw(page: Page, font: FreeTypeFont, width: int, justify: bool, indent: int) -> Image.Image:
    """Grey image of a page: header, a gap, then the lines; justified lines are stretched between words."""
    step = round(font.size * LEADING)
    height = 2 * MARGIN + step * (len(page.lines) + 2)
    image = Image.new("L", (width + 2 * MARGIN, height), 255)
    pen = ImageDraw.Draw(image)
    left, right = page.header
    pen.text((MARGIN, MARGIN), left, font=font, fill=0)
    pen.text((MARGIN + width - font.getlength(right), MARGIN), right, font=font, fill=0)
    for number, line in enumerate(page.lines):
        x = MARGIN + (indent if line.indent else 0.0)
        gap = font.getlength(" ")
        if justify and not line.end and len(line.words) > 1:
            used = sum(font.getlength(word) for word in line.words)
            gap = (MARGIN + width - x - used) / (len(line.words) - 1)
        for word in line.words:
            pen.text((x, MARGIN + step * (number + 2)), word, font=font, fill=0)
            x += font.getlength(word) + gap
    return image


def degrade(image: Image.Image, damage: Damage, rng: np.random.Generator) -> Image.Image:
    """Degraded copy of a grey page image, of the same size. Every value comes from `rng`."""
    size = image.size
    ink = rng.uniform(0.3, 1.0) * damage.ink
    grey = ink + np.asarray(image, dtype=np.float32) * (255 - ink) / 255
    fade = _smooth(rng, size, cells=24)  # patches where the type did not take ink
    threshold = np.quantile(fade, 1 - damage.worn * rng.uniform(0.3, 1.0))
    grey += np.clip((fade - threshold) * 3.0, 0, 0.75) * (255 - grey)
    rotated = Image.fromarray(grey.astype(np.uint8)).rotate(
        rng.uniform(-damage.rotation, damage.rotation), resample=Image.Resampling.BICUBIC, fillcolor=255
    )
    blurred = rotated.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.0) * damage.blur))
    scale = rng.uniform(damage.scale, min(1.0, damage.scale + 0.12))
    small = blurred.resize((round(size[0] * scale), round(size[1] * scale)), Image.Resampling.BILINEAR)
    light = 1 - damage.shade * rng.uniform(0.3, 1.0) * _smooth(rng, small.size, cells=3)
    pixels = np.asarray(small, dtype=np.float32) * light
    pixels += rng.normal(0.0, rng.uniform(0.4, 1.0) * damage.noise, pixels.shape)
    pixels += rng.uniform(0.5, 1.0) * damage.grain * _grain(rng, small.size)
    if damage.bilevel:
        pixels = np.where(pixels < rng.uniform(140, 185) * light, 15.0, 245.0)
    dirt = rng.random(pixels.shape)
    pixels[dirt < damage.speckle / 2] = 20
    pixels[dirt > 1 - damage.speckle / 2] = 250
    noisy = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return noisy.resize(size, Image.Resampling.BICUBIC)


def _grain(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Noise of SD about 1 that is alike over some two pixels, of the image's shape (height, width)."""
    half = (-(-size[0] // 2), -(-size[1] // 2))
    coarse = Image.fromarray((128 + 40 * rng.normal(0.0, 1.0, half[::-1])).clip(0, 255).astype(np.uint8))
    fine = coarse.resize((2 * half[0], 2 * half[1]), Image.Resampling.BICUBIC).crop((0, 0, *size))
    return (np.asarray(fine, dtype=np.float32) - 128) / 32


def _smooth(rng: np.random.Generator, size: tuple[int, int], cells: int) -> np.ndarray:
    """Smooth random field of the image's shape (height, width), values 0 to 1, about `cells` bumps across."""
    rows = max(2, round(cells * size[1] / size[0]))
    coarse = Image.fromarray((rng.random((rows, cells)) * 255).astype(np.uint8))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.float32) / 255
