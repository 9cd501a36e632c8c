"""The silhouettes of the product types that the synthetic catalogue has."""

from hmgpu.data.synthetic.pictures.outline import (
    Line,
    Silhouette,
    both,
    placket,
    ribs,
    ring,
    rows,
    whole,
)

NECK = whole((0, 17), (9, 19), (10, 24), (0, 31))
SHORT: Line = ((23, 25), (42, 47), (33, 56), (24, 45))
THREE_QUARTERS: Line = ((23, 25), (36, 50), (41, 76), (32, 79), (24, 50))
LONG: Line = ((22, 24), (34, 44), (41, 98), (32, 101), (24, 54))
WIDE_LONG: Line = ((23, 24), (38, 46), (45, 94), (33, 100), (24, 56))
CUFFS: tuple[Line, ...] = both(((32, 95), (40, 92)))
ARMHOLES: tuple[Line, ...] = both(((22, 25), (25, 52)))
COLLAR: tuple[Line, ...] = both(((0, 30), (9, 17)), ((0, 30), (7, 35), (12, 22)))
LAPELS: tuple[Line, ...] = both(((0, 52), (9, 18)), ((0, 52), (14, 38), (12, 21)))
SHOE: Line = ((-40, 62), (-33, 56), (-24, 62), (-12, 60), (-4, 68), (8, 78), (30, 84), (40, 92), (40, 97), (-40, 97))


def _top(hem: float, waist: float = 24, flare: float = 24, neck: float = 29) -> Line:
    return whole((0, neck), (9, 20), (22, 24), (25, 40), (waist, 70), (flare, hem), (0, hem + 1))


def _vest(hem: float, waist: float = 22, flare: float = 23, scoop: float = 44) -> Line:
    body = (15, 36), (22, 48), (waist, 72), (flare, hem), (0, hem + 1)
    return whole((0, scoop), (6, scoop - 6), (9, 18), (14, 18), *body)


def _trousers(hip: float, ankle: float, inner: float, hem: float = 118, waist: float = 17, crotch: float = 54) -> Line:
    return whole((0, 12), (waist, 12), (hip, 42), (ankle, hem), (inner, hem), (2, crotch), (0, crotch))


def _tiny(line: Line, scale: float, x: float, y: float) -> Line:
    return tuple((round(scale * a + x, 2), round(scale * b + y, 2)) for a, b in line)


def _shirt(sleeve: Line, hem: float, buttons: int) -> Silhouette:
    seams = (*COLLAR, *ARMHOLES, ((0, 30), (0, hem)))
    return Silhouette((_top(hem), *both(sleeve)), seams, (NECK,), placket(38, hem - 8, buttons), motif=(12, 46))


def _jersey(sleeve: Line, hem: float, seams: tuple[Line, ...] = (), waist: float = 24) -> Silhouette:
    return Silhouette((_top(hem, waist, waist + 1), *both(sleeve)), (*ARMHOLES, *seams), (NECK,))


WAISTBAND: Line = ((-17, 18), (17, 18))
FLY: tuple[Line, ...] = (((0, 18), (0, 54)), *both(((9, 18), (18, 30))))
CUPS: tuple[Line, ...] = both(((1, 66), (4, 50), (16, 42), (28, 56), (26, 72), (4, 74)))
PANTS = whole((0, 50), (32, 46), (33, 56), (10, 84), (0, 86))
SOCK: Line = ((-8, 24), (8, 24), (8, 72), (26, 90), (24, 102), (10, 104), (-8, 88))
POCKETS = both(((8, 46), (20, 46), (20, 58), (14, 62), (8, 58), (8, 46)), ((12, 62), (8, 88)))
FRINGES: tuple[Line, ...] = tuple(((x, 108), (x - 1, 116)) for x in range(-20, 0, 4))
TEETH: tuple[Line, ...] = tuple(((x, 62), (x + 7, 62), (x + 3, 84)) for x in range(-34, 33, 9))

SILHOUETTES: dict[str, Silhouette] = {
    "T-shirt": _jersey(SHORT, 106, (((-24, 102), (24, 102)),)),
    "Vest top": Silhouette((_vest(104),), (((-22, 100), (22, 100)),), motif=(0, 66)),
    "Long-sleeve": _jersey(LONG, 106, CUFFS),
    "Top": Silhouette((_top(88, 25, 30, 25), *both(SHORT)), ARMHOLES, (whole((0, 19), (12, 20), (0, 27)),)),
    "Sweatshirt": _jersey(WIDE_LONG, 102, (*ribs(96, 6, 24), *both(((34, 93), (44, 88)))), 27),
    "Bodysuit": Silhouette(
        (whole((0, 40), (9, 20), (14, 20), (16, 38), (22, 48), (19, 74), (24, 90), (8, 112), (0, 113)),),
        both(((24, 90), (10, 96), (8, 112))),
        motif=(0, 62),
    ),
    "Sweater": Silhouette(
        (_top(104, 28, 28, 22), *both(WIDE_LONG), whole((0, 12), (9, 13), (11, 24), (0, 26))),
        (*ribs(96, 8, 27, 2.5), *ARMHOLES, *ribs(13, 10, 9, 2.5), *both(((34, 93), (44, 88)))),
    ),
    "Cardigan": Silhouette(
        (whole((0, 62), (9, 19), (22, 24), (26, 40), (26, 104), (0, 105)), *both(WIDE_LONG)),
        (((0, 62), (0, 105)), *both(((3, 62), (12, 21)), ((34, 93), (44, 88))), *ARMHOLES, *ribs(98, 6, 26)),
        (whole((0, 16), (9, 18), (0, 60)),),
        placket(66, 100, 4),
        motif=(14, 56),
    ),
    "Knit dress": Silhouette(
        (_top(117, 21, 27, 22), *both(LONG), whole((0, 12), (9, 13), (11, 24), (0, 26))),
        (*ribs(111, 6, 25, 2.5), *ARMHOLES, *ribs(13, 10, 9, 2.5), *CUFFS),
    ),
    "Jacket": Silhouette(
        (_top(98, 28, 28), *both(WIDE_LONG), whole((0, 18), (10, 13), (14, 22), (0, 32))),
        (((0, 28), (0, 98)), *ARMHOLES, *both(((12, 72), (22, 68)), ((34, 93), (44, 88))), *rows(93, 93, 5, 28)),
        (NECK,),
        motif=(14, 48),
    ),
    "Coat": Silhouette(
        (_top(119, 25, 32), *both(LONG)),
        (*LAPELS, *ARMHOLES, ((0, 52), (0, 119)), *rows(72, 78, 6, 25), *both(((12, 90), (23, 88)))),
        (NECK,),
        ((-5, 60), (5, 60), (-5, 86), (5, 86), (-5, 98), (5, 98)),
        motif=(15, 50),
    ),
    "Gilet": Silhouette(
        (whole((0, 14), (9, 13), (11, 22), (22, 26), (20, 46), (26, 56), (26, 104), (0, 105)),),
        (((0, 16), (0, 105)), *rows(36, 100, 10, 26)),
    ),
    "Trousers": Silhouette((_trousers(23, 21, 6),), (*FLY, WAISTBAND, *both(((13, 50), (13, 116)))), motif=(12, 70)),
    "Leggings": Silhouette((_trousers(20, 12, 5),), (WAISTBAND,), motif=(11, 64)),
    "Joggers": Silhouette(
        (_trousers(24, 16, 6),),
        (WAISTBAND, *both(((7, 110), (16, 110)), ((16, 24), (21, 44)), ((2, 18), (4, 34)))),
        motif=(13, 66),
    ),
    "Jeans": Silhouette(
        (_trousers(22, 18, 6),),
        (*FLY, WAISTBAND, *both(((16, 36), (19, 42), (16, 116)), ((6, 114), (18, 114)), ((5, 13), (5, 18)))),
        buttons=((0, 15),),
        motif=(12, 68),
    ),
    "Denim jacket": Silhouette(
        (_top(94, 26, 25), *both(LONG)),
        (*COLLAR, *ARMHOLES, *CUFFS, *POCKETS, ((0, 30), (0, 94)), *rows(88, 88, 4, 25)),
        (NECK,),
        placket(40, 90, 5),
    ),
    "Dress": Silhouette(
        (whole((0, 40), (8, 20), (14, 19), (17, 38), (20, 44), (14, 62), (34, 117), (0, 119)),),
        (((-14, 62), (14, 62)), *both(((5, 64), (12, 116)), ((10, 64), (23, 116)))),
        (whole((0, 19), (9, 20), (0, 36)),),
        motif=(0, 90),
    ),
    "Playsuit": Silhouette(
        (whole((0, 40), (8, 20), (14, 19), (17, 38), (21, 46), (16, 66), (29, 106), (5, 106), (2, 84), (0, 84)),),
        (((-16, 66), (16, 66)), ((0, 66), (0, 84)), *both(((6, 102), (28, 102)))),
        motif=(0, 54),
    ),
    "Blouse": Silhouette(
        (_top(102, 24, 29), *both(((22, 24), (38, 40), (47, 88), (38, 94), (32, 94), (24, 54)))),
        (*ARMHOLES, *both(((32, 90), (44, 88)), ((0, 32), (10, 26), (10, 38), (0, 32)), ((0, 32), (5, 52)))),
        (NECK,),
        motif=(13, 60),
    ),
    "Tunic": Silhouette(
        (_top(116, 25, 34, 40), *both(THREE_QUARTERS)),
        (*ARMHOLES, ((0, 40), (0, 58)), *both(((9, 20), (2, 40)))),
        (whole((0, 18), (8, 20), (0, 38)),),
        motif=(0, 74),
    ),
    "Shirt": _shirt(LONG, 108, 6),
    "Polo shirt": _shirt(SHORT, 104, 1),
    "Shorts": Silhouette(
        (whole((0, 34), (22, 34), (33, 92), (4, 94), (2, 66), (0, 66)),),
        (((-23, 41), (23, 41)), ((0, 41), (0, 66)), *both(((5, 88), (32, 87)), ((12, 41), (24, 54)))),
        buttons=((0, 37.5),),
        motif=(17, 72),
    ),
    "Skirt": Silhouette(
        (whole((0, 28), (17, 28), (36, 106), (0, 109)),),
        (((-18, 35), (18, 35)), *both(((6, 36), (12, 107)), ((12, 36), (24, 106)))),
        motif=(0, 76),
    ),
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
            *(_tiny(line, 0.6, -14, -4) for line in (_top(108, 26, 27), *both(LONG))),
            _tiny(_trousers(24, 23, 5), 0.62, 24, 46),
        ),
        (((-14, 15), (-14, 61)), *(_tiny(line, 0.6, -14, -4) for line in COLLAR), ((14, 57), (34, 57))),
        buttons=tuple((-14, y) for y in (22, 32, 42, 52)),
        motif=(-6, 26),
    ),
    "Socks": Silhouette(
        (_tiny(SOCK, 1, -20, -4), _tiny(SOCK, 1, 12, 8)),
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
            *(_tiny(line, 0.62, -14, 0) for line in (_top(88, 27, 28), *both(SHORT))),
            _tiny(_trousers(25, 20, 6, 96, 18), 0.62, 20, 56),
        ),
        (((9, 67), (31, 67)), *(_tiny(line, 0.62, -14, 0) for line in ARMHOLES)),
        (_tiny(NECK, 0.62, -14, 0),),
        motif=(-14, 32),
    ),
}
"""By the name of the product type."""
