"""Silhouettes of swimwear, underwear, legwear, shoes, accessories and what babies wear."""

from hmgpu.data.synthetic.pictures.cuts import (
    ARMHOLES,
    COLLAR,
    CUPS,
    FRINGES,
    LONG,
    NECK,
    PANTS,
    SHOE,
    SHORT,
    SOCK,
    TEETH,
    tiny,
    top,
    trousers,
)
from hmgpu.data.synthetic.pictures.outline import Silhouette, both, placket, ribs, ring, whole

SMALL_THINGS: dict[str, Silhouette] = {
    "Bikini top": Silhouette(
        both(((2, 76), (15, 40), (30, 74), (16, 78))),
        both(((3, 75), (29, 75))),
        straps=both(((15, 42), (6, 16)), ((28, 75), (44, 70)), ((0, 76), (4, 75))),
        motif=(16, 66),
    ),
    "Swim bottoms": Silhouette(
        (PANTS,), (((-32, 52), (32, 52)),), straps=both(((31, 48), (40, 44)), ((31, 50), (39, 58))), motif=(0, 66)
    ),
    "Swimsuit": Silhouette(
        (whole((0, 48), (8, 40), (11, 16), (15, 16), (17, 38), (23, 50), (17, 72), (25, 88), (7, 114), (0, 115)),),
        both(((0, 60), (10, 58), (22, 52))),
        motif=(0, 76),
    ),
    "Bra": Silhouette(
        (*CUPS, whole((0, 66), (6, 66), (34, 68), (36, 78), (0, 76))),
        both(((2, 64), (16, 70), (27, 64)), ((10, 46), (14, 70))),
        straps=both(((18, 44), (22, 18)), ((27, 56), (24, 18))),
        motif=(15, 60),
    ),
    "Briefs": Silhouette((PANTS,), (((-32, 51), (32, 51)), *both(((33, 56), (11, 80)))), motif=(0, 64)),
    "Pyjamas": Silhouette(
        (
            *(tiny(line, 0.6, -14, -4) for line in (top(108, 26, 27), *both(LONG))),
            tiny(trousers(24, 23, 5), 0.62, 24, 46),
        ),
        (((-14, 15), (-14, 61)), *(tiny(line, 0.6, -14, -4) for line in COLLAR), ((14, 57), (34, 57))),
        buttons=tuple((-14, y) for y in (22, 32, 42, 52)),
        motif=(-6, 26),
    ),
    "Socks": Silhouette(
        (tiny(SOCK, 1, -20, -4), tiny(SOCK, 1, 12, 8)),
        (((-28, 27), (-12, 27)), ((4, 39), (20, 39)), ((-12, 70), (-26, 82)), ((20, 82), (6, 94))),
        motif=(-20, 46),
    ),
    "Tights": Silhouette(
        (whole((0, 10), (15, 10), (20, 36), (13, 76), (10, 104), (14, 120), (5, 121), (4, 100), (4, 76), (1, 44)),),
        (((-15, 16), (15, 16)), ((0, 16), (0, 42))),
        motif=(11, 56),
    ),
    "Trainers": Silhouette(
        (SHOE,),
        (((-24, 62), (-18, 96)), ((8, 78), (2, 96)), ((24, 83), (22, 96)), ((-10, 66), (2, 62)), ((-6, 72), (6, 68))),
        pale=(((-41, 95), (41, 95), (42, 101), (38, 105), (-40, 105)),),
        motif=(-8, 84),
    ),
    "Sandals": Silhouette(
        (
            whole((0, 95), (40, 92), (44, 98), (40, 105), (0, 104)),
            ((2, 96), (8, 78), (18, 70), (30, 72), (38, 94)),
            ((-40, 95), (-40, 80), (-34, 76), (-28, 80), (-26, 95)),
        ),
        (((10, 76), (16, 95)), ((24, 71), (31, 94)), ((-42, 98), (42, 98))),
        straps=(((-36, 78), (-22, 66), (-8, 66), (-6, 72), (-32, 82)),),
        buttons=((-10, 66),),
        motif=(20, 84),
    ),
    "Earrings": Silhouette(
        both(ring(20, 78, 10, 15)),
        both(ring(20, 78, 6, 10)),
        pale=both(ring(20, 44, 4)),
        straps=both(((20, 36), (20, 64)), ring(20, 54, 3)),
        motif=(20, 78),
    ),
    "Bag": Silhouette(
        (whole((0, 52), (30, 52), (37, 108), (0, 110)),),
        (((-31, 62), (-8, 80), (8, 80), (31, 62)),),
        straps=(tuple((x, y) for x, y in ring(0, 52, 20, 32) if y <= 53),),
        buttons=((0, 80),),
        motif=(0, 95),
    ),
    "Scarf": Silhouette(
        (
            ring(0, 36, 26, 18),
            ((-16, 42), (2, 46), (0, 116), (-22, 114)),
            ((6, 44), (22, 38), (27, 104), (10, 108)),
        ),
        (ring(0, 32, 17, 8), ((-8, 50), (-10, 112)), ((14, 46), (19, 104)), *FRINGES),
        motif=(-10, 76),
    ),
    "Hat": Silhouette(
        (
            whole((0, 34), (12, 36), (24, 50), (28, 84), (0, 86)),
            whole((0, 78), (31, 78), (31, 96), (0, 97)),
            ring(0, 30, 8),
        ),
        ribs(78, 18, 30, 4),
        motif=(0, 60),
    ),
    "Hair clip": Silhouette(
        (((-36, 58), (-28, 50), (28, 50), (36, 58), (34, 66), (-34, 66)), *TEETH),
        (((-32, 60), (32, 60)),),
        pale=(ring(0, 57, 4),),
        motif=(-16, 58),
    ),
    "Romper": Silhouette(
        (
            whole((0, 30), (9, 22), (20, 25), (24, 44), (26, 84), (22, 112), (5, 113), (3, 92), (0, 92)),
            *both(((20, 25), (38, 44), (31, 54), (23, 46))),
        ),
        (((0, 30), (0, 92)), *both(((6, 108), (22, 107)), ((3, 92), (14, 96)))),
        (whole((0, 20), (9, 22), (0, 30)),),
        placket(36, 84, 6),
        motif=(13, 58),
    ),
    "Baby set": Silhouette(
        (
            *(tiny(line, 0.62, -14, 0) for line in (top(88, 27, 28), *both(SHORT))),
            tiny(trousers(25, 20, 6, 96, 18), 0.62, 20, 56),
        ),
        (((9, 67), (31, 67)), *(tiny(line, 0.62, -14, 0) for line in ARMHOLES)),
        (tiny(NECK, 0.62, -14, 0),),
        motif=(-14, 32),
    ),
}
"""By the name of the product type."""
