"""Draws every image that the demo networks are trained, calibrated and tested on.

Nothing is loaded from outside but the fonts of the system.  An image is a function of (split, index): the same
pair always gives the same picture, and different splits never share a random stream.
"""
import glob
import math
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

CLASSIFIER_SIZE = 64
DETECTOR_SIZE = 128
SPLITS = {"train": 1, "valid": 2, "test": 3, "calib": 4}

CHARACTERS = list("0123456789") + list("ACEFHKMRTX")
SIGNS = ["stop", "yield", "no_entry", "speed_limit", "warning",
         "turn_left", "turn_right", "parking", "no_stopping", "priority"]
CLASSIFIER_LABELS = CHARACTERS + SIGNS
DETECTOR_LABELS = ["background", "stop", "warning", "speed_limit", "parking", "plate", "traffic_light"]

FONT_FOLDERS = ["/usr/share/fonts/truetype", "/usr/local/share/fonts", os.path.expanduser("~/.fonts")]
FONT_FILES = """
DejaVuSans DejaVuSans-Bold DejaVuSansMono DejaVuSansMono-Bold DejaVuSerif DejaVuSerif-Bold
LiberationSans-Regular LiberationSans-Bold LiberationSans-Italic LiberationSansNarrow-Regular LiberationSansNarrow-Bold
LiberationSerif-Regular LiberationSerif-Bold LiberationMono-Regular LiberationMono-Bold
FreeSans FreeSansBold FreeSansOblique FreeSerif FreeSerifBold FreeSerifItalic FreeMonoBold
Lato-Regular Lato-Medium Lato-Bold Lato-Black Lato-Italic
OpenSans-Regular OpenSans-Semibold OpenSans-Bold OpenSans-ExtraBold OpenSans-CondBold OpenSans-Italic
""".split()

_fonts = {}


def font_paths():
    found = {}
    for folder in FONT_FOLDERS:
        for path in glob.glob(os.path.join(folder, "**", "*.ttf"), recursive=True):
            found[os.path.splitext(os.path.basename(path))[0]] = path
    return [found[name] for name in FONT_FILES if name in found]


_paths = font_paths()


def load_font(rng, size):
    if not _paths:
        return ImageFont.load_default()
    key = (_paths[rng.integers(len(_paths))], size)
    if key not in _fonts:
        _fonts[key] = ImageFont.truetype(*key)
    return _fonts[key]


def text_mask(rng, text, width, height, keep_aspect=True):
    """An L image (width x height) with the text as large as fits."""
    font = load_font(rng, 96)
    box = font.getbbox(text)
    mask = Image.new("L", (box[2] - box[0] + 4, box[3] - box[1] + 4), 0)
    ImageDraw.Draw(mask).text((2 - box[0], 2 - box[1]), text, font=font, fill=255)
    mask = mask.crop(mask.getbbox())
    w, h = width, height
    if keep_aspect:
        scale = min(width / mask.width, height / mask.height)
        w, h = max(1, round(mask.width * scale)), max(1, round(mask.height * scale))
    out = Image.new("L", (width, height), 0)
    out.paste(mask.resize((w, h), Image.BILINEAR), ((width - w) // 2, (height - h) // 2))
    return out


def color(rng, low=0, high=256):
    return tuple(int(v) for v in rng.integers(low, high, 3))


def near(rng, rgb, spread=30):
    """A faded, shifted version of a nominal colour: paint is never the same twice."""
    return tuple(int(v) for v in np.clip(np.array(rgb) + rng.normal(0, spread, 3), 0, 255))


def luminance(rgb):
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]


def contrasting(rng, rgb, least):
    for _ in range(40):
        other = color(rng)
        if abs(luminance(other) - luminance(rgb)) > least:
            return other
    return (255, 255, 255) if luminance(rgb) < 128 else (0, 0, 0)


# ---- signs: each returns an RGBA patch, transparent outside the sign ----

S = 144
RED, BLUE, YELLOW, WHITE, BLACK = (190, 30, 35), (25, 75, 165), (240, 195, 30), (238, 238, 232), (25, 25, 25)


def _canvas(w=S, h=S):
    image = Image.new("RGBA", (w, h), (0, 0, 0, 0))
    return image, ImageDraw.Draw(image)


def _polygon(n, radius, turn=0.0, cx=S / 2, cy=S / 2):
    return [(cx + radius * math.cos(turn + 2 * math.pi * i / n), cy + radius * math.sin(turn + 2 * math.pi * i / n))
            for i in range(n)]


def _disc(draw, radius, fill):
    draw.ellipse([S / 2 - radius, S / 2 - radius, S / 2 + radius, S / 2 + radius], fill=fill)


def _write(image, rng, text, box, fill):
    x0, y0, x1, y1 = [int(v) for v in box]
    image.paste(fill + (255,), (x0, y0), text_mask(rng, text, x1 - x0, y1 - y0))


def sign_stop(rng):
    image, draw = _canvas()
    red, white = near(rng, RED), near(rng, WHITE, 12)
    draw.polygon(_polygon(8, 75, math.pi / 8), fill=white)
    draw.polygon(_polygon(8, 68, math.pi / 8), fill=red)
    _write(image, rng, "STOP", (18, 48, 126, 96), white)
    return image


def sign_yield(rng):
    image, draw = _canvas()
    draw.polygon([(4, 12), (140, 12), (72, 132)], fill=near(rng, RED))
    draw.polygon([(30, 28), (114, 28), (72, 102)], fill=near(rng, WHITE, 12))
    return image


def sign_warning(rng):
    image, draw = _canvas()
    draw.polygon([(4, 132), (140, 132), (72, 12)], fill=near(rng, RED))
    draw.polygon([(28, 118), (116, 118), (72, 40)], fill=near(rng, WHITE if rng.random() < 0.6 else YELLOW, 14))
    ink = near(rng, BLACK, 10)
    draw.polygon([(66, 62), (78, 62), (75, 96), (69, 96)], fill=ink)
    draw.ellipse([66, 101, 78, 113], fill=ink)
    return image


def sign_no_entry(rng):
    image, draw = _canvas()
    _disc(draw, 69, near(rng, RED))
    half = rng.integers(9, 15)
    draw.rectangle([24, 72 - half, 120, 72 + half], fill=near(rng, WHITE, 12))
    return image


def sign_speed_limit(rng):
    image, draw = _canvas()
    _disc(draw, 69, near(rng, RED))
    _disc(draw, rng.integers(48, 56), near(rng, WHITE, 12))
    _write(image, rng, str(rng.integers(1, 13) * 10), (34, 44, 110, 100), near(rng, BLACK, 10))
    return image


def _sign_turn(rng, mirror):
    image, draw = _canvas()
    _disc(draw, 69, near(rng, WHITE, 12))
    _disc(draw, 65, near(rng, BLUE))
    white = near(rng, WHITE, 12)
    draw.polygon([(24, 72), (66, 36), (66, 60), (116, 60), (116, 84), (66, 84), (66, 108)], fill=white)
    return image.transpose(Image.FLIP_LEFT_RIGHT) if mirror else image


def sign_turn_left(rng):
    return _sign_turn(rng, False)


def sign_turn_right(rng):
    return _sign_turn(rng, True)


def sign_parking(rng):
    image, draw = _canvas()
    draw.rounded_rectangle([6, 6, 137, 137], 14, fill=near(rng, WHITE, 12))
    draw.rounded_rectangle([11, 11, 132, 132], 11, fill=near(rng, BLUE))
    _write(image, rng, "P", (34, 26, 110, 118), near(rng, WHITE, 12))
    return image


def sign_no_stopping(rng):
    image, draw = _canvas()
    red = near(rng, RED)
    _disc(draw, 69, red)
    _disc(draw, 56, near(rng, BLUE))
    draw.line([(32, 32), (112, 112)], fill=red, width=14)
    if rng.random() < 0.6:
        draw.line([(112, 32), (32, 112)], fill=red, width=14)
    return image


def sign_priority(rng):
    image, draw = _canvas()
    draw.polygon(_polygon(4, 70), fill=near(rng, WHITE, 12))
    draw.polygon(_polygon(4, rng.integers(48, 56)), fill=near(rng, YELLOW, 20))
    return image


def sign_plate(rng):
    w = int(rng.integers(200, 300))
    image, draw = _canvas(w, 96)
    ground = near(rng, [WHITE, YELLOW, (30, 110, 70), BLUE][rng.integers(4)], 20)
    ink = contrasting(rng, ground, 110)
    draw.rounded_rectangle([2, 2, w - 3, 93], 10, fill=ink)
    draw.rounded_rectangle([7, 7, w - 8, 88], 8, fill=ground)
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    text = "".join(letters[i] for i in rng.integers(0, len(letters), rng.integers(4, 8)))
    _write(image, rng, text, (16, 18, w - 16, 78), ink)
    return image


def sign_traffic_light(rng):
    image, draw = _canvas(72, 168)
    draw.rounded_rectangle([2, 2, 69, 165], 16, fill=near(rng, (35, 38, 36), 14))
    lit = rng.integers(3)
    for i, bright in enumerate([(245, 50, 40), (250, 190, 40), (60, 225, 110)]):
        rgb = near(rng, bright, 15) if i == lit else tuple(v // 4 for v in near(rng, bright, 15))
        draw.ellipse([15, 14 + 49 * i, 56, 55 + 49 * i], fill=rgb)
    return image


DRAW_SIGN = {name: globals()["sign_" + name] for name in SIGNS + ["plate", "traffic_light"]}


# ---- scenes ----

def background(rng, size, shapes):
    """Gradient or mottled texture with random shapes, lines and scraps of text on it."""
    kind = rng.random()
    if kind < 0.35:
        a, b = np.array(color(rng), float), np.array(color(rng), float)
        angle = rng.random() * 2 * math.pi
        y, x = np.mgrid[0:size, 0:size] / size - 0.5
        t = np.clip(0.5 + (x * math.cos(angle) + y * math.sin(angle)), 0, 1)[..., None]
        image = Image.fromarray((a * t + b * (1 - t)).astype(np.uint8))
    else:
        cells = int(rng.integers(2, 12))
        base = np.array(color(rng), float)
        noise = base + rng.normal(0, rng.uniform(10, 60), (cells, cells, 1)) + rng.normal(0, 18, (cells, cells, 3))
        image = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).resize((size, size), Image.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(shapes):
        x, y = rng.uniform(-0.1, 1.1, 2) * size
        w, h = rng.uniform(0.05, 0.5, 2) * size
        fill = color(rng)
        shape = rng.integers(5)
        if shape == 0:
            draw.rectangle([x, y, x + w, y + h], fill=fill)
        elif shape == 1:
            draw.ellipse([x, y, x + w, y + w], fill=fill)
        elif shape == 2:
            draw.polygon(_polygon(int(rng.integers(3, 6)), w / 2, rng.random() * 6, x, y), fill=fill)
        elif shape == 3:
            x1, y1 = rng.uniform(0, 1, 2) * size
            draw.line([x, y, x1, y1], fill=fill, width=int(rng.integers(1, 7)))
        else:
            draw.rectangle([x, y, x + w, y + h], outline=fill, width=int(rng.integers(1, 6)))
    return image


def warp(patch, size, cx, cy, w, h, angle, jitter):
    """The patch seen in perspective on a size x size canvas; jitter is 4x2, in units of the patch's sides."""
    corners = (np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) + jitter) * [w, h]
    c, s = math.cos(angle), math.sin(angle)
    corners = corners @ np.array([[c, s], [-s, c]]) + [cx, cy]
    source = np.array([[0, 0], [patch.width, 0], [patch.width, patch.height], [0, patch.height]], float)
    rows, rhs = [], []
    for (x, y), (u, v) in zip(corners, source):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        rhs += [u, v]
    coefficients = np.linalg.solve(np.array(rows), np.array(rhs))
    return patch.transform((size, size), Image.PERSPECTIVE, coefficients, Image.BILINEAR)


def degrade(rng, image, size, blur, noise):
    """Uneven light, colour cast, blur, reduction to the final size, sensor noise."""
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, blur) * image.width / size))
    pixels = np.asarray(image.resize((size, size), Image.BOX), np.float32)
    angle = rng.random() * 2 * math.pi
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    light = 1 + rng.uniform(0, 0.5) * (x * math.cos(angle) + y * math.sin(angle))
    gain = rng.uniform(0.55, 1.2) * rng.uniform(0.88, 1.12, 3)
    pixels = pixels * light[..., None] * gain + rng.uniform(-20, 25)
    pixels += rng.normal(0, rng.uniform(0, noise), (size, size, 1)) * 0.8
    pixels += rng.normal(0, rng.uniform(0, noise) * 0.6 + 0.5, (size, size, 3))
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)


def _character_patch(rng, text, around):
    """A character, painted on a board of its own or straight onto what is behind it."""
    image, draw = _canvas()
    behind = around
    style = rng.random()
    if style < 0.5:
        behind = color(rng)
        if style < 0.3:
            draw.rounded_rectangle([2, 2, S - 3, S - 3], int(rng.integers(0, 40)), fill=behind)
        else:
            _disc(draw, 71, behind)
    ink = contrasting(rng, behind, 55)
    margin = 30 if 0.3 <= style < 0.5 else 16
    mask = text_mask(rng, text, S - 2 * margin, S - 2 * margin)
    if rng.random() < 0.15:
        image.paste(contrasting(rng, ink, 60) + (255,), (margin + 4, margin + 4), mask)
    image.paste(ink + (255,), (margin, margin), mask)
    return image


def classifier_image(split, index):
    """(64x64x3 uint8 RGB, label)."""
    rng = np.random.default_rng([101, SPLITS[split], index])
    label = index % len(CLASSIFIER_LABELS)
    big = CLASSIFIER_SIZE * 2
    image = background(rng, big, int(rng.integers(0, 9)))
    name = CLASSIFIER_LABELS[label]
    if label < len(CHARACTERS):
        around = image.resize((1, 1), Image.BOX, (big // 4, big // 4, 3 * big // 4, 3 * big // 4)).getpixel((0, 0))
        patch = _character_patch(rng, name, around)
    else:
        patch = DRAW_SIGN[name](rng)
    side = big * rng.uniform(0.5, 0.95)
    free = (big - side) / 2 + 0.06 * big
    patch = warp(patch, big, big / 2 + rng.uniform(-free, free) * 0.8, big / 2 + rng.uniform(-free, free) * 0.8,
                 side * rng.uniform(0.8, 1.05), side, rng.normal(0, 0.13), rng.uniform(-0.08, 0.08, (4, 2)))
    image.paste(patch, (0, 0), patch)
    if rng.random() < 0.25:
        x0, y0, x1, y1 = rng.uniform(0, big, 4)
        ImageDraw.Draw(image).line([x0, y0, x1, y1], fill=color(rng), width=int(rng.integers(2, 7)))
    return degrade(rng, image, CLASSIFIER_SIZE, 1.3, 26), label


def _overlap(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    return max(w, 0) * max(h, 0) / max(1e-6, min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])))


def detector_scene(split, index):
    """(128x128x3 uint8 RGB, boxes Nx4 in pixels x0 y0 x1 y1, labels N)."""
    rng = np.random.default_rng([202, SPLITS[split], index])
    big = DETECTOR_SIZE * 2
    image = background(rng, big, int(rng.integers(4, 18)))
    boxes, labels = [], []
    for _ in range(int(rng.integers(1, 6))):
        label = int(rng.integers(1, len(DETECTOR_LABELS)))
        patch = DRAW_SIGN[DETECTOR_LABELS[label]](rng)
        for _ in range(12):
            longest = big * 0.15 * math.exp(rng.uniform(0, math.log(4.2)))
            if patch.width > patch.height * 1.5:
                longest *= 1.25
            scale = longest / max(patch.width, patch.height)
            w, h = patch.width * scale * rng.uniform(0.85, 1.0), patch.height * scale
            cx, cy = rng.uniform(w * 0.45, big - w * 0.45), rng.uniform(h * 0.45, big - h * 0.45)
            angle, jitter = rng.normal(0, 0.07), rng.uniform(-0.05, 0.05, (4, 2))
            seen = warp(patch, big, cx, cy, w, h, angle, jitter)
            extent = seen.getchannel("A").point(lambda v: 255 if v > 127 else 0).getbbox()
            if extent is None or any(_overlap(extent, other) > 0.08 for other in boxes):
                continue
            if label != 5 and rng.random() < 0.4:
                grey = int(rng.integers(60, 190))
                ImageDraw.Draw(image).line([cx, cy, cx, big], fill=(grey, grey, grey), width=max(2, int(w * 0.07)))
            image.paste(seen, (0, 0), seen)
            boxes.append(extent)
            labels.append(label)
            break
    pixels = degrade(rng, image, DETECTOR_SIZE, 0.9, 18)
    return pixels, np.array(boxes, np.float32).reshape(-1, 4) / 2, np.array(labels, np.int64)
