"""Parts that several silhouettes share: bodies, sleeves, collars."""

from hmgpu.data.synthetic.pictures.outline import Line, Silhouette, both, placket, whole

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
WAISTBAND: Line = ((-17, 18), (17, 18))
FLY: tuple[Line, ...] = (((0, 18), (0, 54)), *both(((9, 18), (18, 30))))
CUPS: tuple[Line, ...] = both(((1, 66), (4, 50), (16, 42), (28, 56), (26, 72), (4, 74)))
PANTS = whole((0, 50), (32, 46), (33, 56), (10, 84), (0, 86))
SOCK: Line = ((-8, 24), (8, 24), (8, 72), (26, 90), (24, 102), (10, 104), (-8, 88))
POCKETS = both(((8, 46), (20, 46), (20, 58), (14, 62), (8, 58), (8, 46)), ((12, 62), (8, 88)))
FRINGES: tuple[Line, ...] = tuple(((x, 108), (x - 1, 116)) for x in range(-20, 0, 4))
TEETH: tuple[Line, ...] = tuple(((x, 62), (x + 7, 62), (x + 3, 84)) for x in range(-34, 33, 9))


def top(hem: float, waist: float = 24, flare: float = 24, neck: float = 29) -> Line:
    """Return the body of a top with shoulders; `waist` and `flare` are half widths in the middle and at the hem."""
    return whole((0, neck), (9, 20), (22, 24), (25, 40), (waist, 70), (flare, hem), (0, hem + 1))


def vest(hem: float, waist: float = 22, flare: float = 23, scoop: float = 44) -> Line:
    """Return the body of a sleeveless top; `scoop` is how low its neckline is."""
    body = (15, 36), (22, 48), (waist, 72), (flare, hem), (0, hem + 1)
    return whole((0, scoop), (6, scoop - 6), (9, 18), (14, 18), *body)


def trousers(hip: float, ankle: float, inner: float, hem: float = 118, waist: float = 17, crotch: float = 54) -> Line:
    """Return trousers; `ankle` and `inner` are where a leg ends outside and inside."""
    return whole((0, 12), (waist, 12), (hip, 42), (ankle, hem), (inner, hem), (2, crotch), (0, crotch))


def tiny(line: Line, scale: float, x: float, y: float) -> Line:
    """Return a line scaled and moved."""
    return tuple((round(scale * a + x, 2), round(scale * b + y, 2)) for a, b in line)


def shirt(sleeve: Line, hem: float, buttons: int) -> Silhouette:
    """Return a shirt with a collar."""
    seams = (*COLLAR, *ARMHOLES, ((0, 30), (0, hem)))
    return Silhouette((top(hem), *both(sleeve)), seams, (NECK,), placket(38, hem - 8, buttons), motif=(12, 46))


def jersey(sleeve: Line, hem: float, seams: tuple[Line, ...] = (), waist: float = 24) -> Silhouette:
    """Return a top with a round neck."""
    return Silhouette((top(hem, waist, waist + 1), *both(sleeve)), (*ARMHOLES, *seams), (NECK,))
