"""Layers that move or select data: exact equality is expected."""
import numpy as np

from golden_common import Golden, f32, f64, raw

FLT_MAX = float(np.finfo(np.float32).max)


def concat_split_slice():
    g = Golden("Concat", 0, 0)
    g.one("hand_default_axis", {}, [f32([1, 2]), f32([3])], f32([1, 2, 3]))
    for shape in ((5,), (3, 4), (4, 3, 2), (2, 3, 2, 4), (8, 2, 3)):
        n = len(shape)
        for axis in range(n):
            for neg in (False, True):
                xs = []
                for k in (0, 1, 2):
                    s = list(shape)
                    s[axis] += k
                    xs.append(g.rng.data(*s))
                a = axis - n if neg else axis
                g.one("%s_axis%d" % ("x".join(map(str, shape)), a), {0: a}, xs, np.concatenate(xs, axis=axis))
    x = g.rng.data(3, 2, 2)
    g.one("single_input", {0: 0}, [x], x)
    xs = [g.rng.data(4, 3, 3), g.rng.data(8, 3, 3), g.rng.data(3, 3, 3)]
    g.one("mixed_packing", {0: 0}, xs, np.concatenate(xs))
    g.write()

    g = Golden("Split", 0, 0)
    for shape in ((5,), (3, 4), (4, 3, 2), (2, 2, 3, 2)):
        x = g.rng.data(*shape)
        g.one("%dd_3" % len(shape), {}, x, [x, x, x])
    x = g.rng.data(4, 3, 2)
    g.net("inplace_consumers", [("Split", "s", ["in0"], ["a", "b"], {}), ("ReLU", "r", ["a"], ["out0"], {}), ("AbsVal", "v", ["b"], ["out1"], {})],
          {"in0": x}, {"out0": np.maximum(x, 0), "out1": np.abs(x)}, note="in-place consumers must not disturb each other")
    g.write()

    g = Golden("Slice", 0, 0)

    def cut(x, counts, axis):
        at = np.cumsum(counts)[:-1]
        return np.split(x, at, axis=axis)

    for shape in ((12,), (12, 3), (3, 12), (12, 2, 3), (2, 12, 3), (2, 3, 12), (4, 12, 2, 2), (12, 2, 2, 3), (2, 2, 3, 12)):
        axis = shape.index(12)
        n = len(shape)
        t = "x".join(map(str, shape))
        x = g.rng.data(*shape)
        g.one(t + "_even3", {0: [-233, -233, -233], 1: axis}, x, cut(x, [4, 4, 4], axis))
        g.one(t + "_fixed_rest", {0: [3, -233], 1: axis}, x, cut(x, [3, 9], axis))
        g.one(t + "_fixed_all", {0: [1, 8, 3], 1: axis - n}, x, cut(x, [1, 8, 3], axis), note="negative axis")
    x = g.rng.data(11, 2, 2)
    g.one("uneven_rest", {0: [-233, -233, -233]}, x, cut(x, [3, 4, 4], 0), note="each -233 takes (what is left) / (outputs left): 11 -> 3, 4, 4")
    g.one("fixed_then_uneven", {0: [2, -233, -233]}, x, cut(x, [2, 4, 5], 0))
    g.one("indices", {1: 0, 2: [3, 5]}, x, cut(x, [3, 2, 6], 0), note="indices are the cut positions")
    x = g.rng.data(2, 9)
    g.one("indices_negative", {1: 1, 2: [2, -3]}, x, cut(x, [2, 4, 3], 1), note="negative indices count from the end")
    g.write()


def crop_pad():
    g = Golden("Crop", 0, 0)
    x1, x2, x3, x4 = g.rng.data(9), g.rng.data(6, 7), g.rng.data(5, 6, 7), g.rng.data(4, 5, 6, 7)
    g.one("1d_offset_size", {0: 2, 3: 4}, x1, x1[2:6])
    g.one("1d_offset_rest", {0: 3, 3: -233}, x1, x1[3:])
    g.one("1d_offset_rest_offset2", {0: 3, 3: -233, 6: 2}, x1, x1[3:7])
    g.one("2d_offset_size", {0: 2, 1: 1, 3: 4, 4: 3}, x2, x2[1:4, 2:6])
    g.one("2d_rest", {0: 1, 1: 2, 3: -233, 4: -233, 6: 2, 7: 1}, x2, x2[2:5, 1:5])
    g.one("3d_offset_size", {0: 2, 1: 1, 2: 1, 3: 4, 4: 3, 5: 2}, x3, x3[1:3, 1:4, 2:6])
    g.one("3d_rest", {0: 1, 1: 2, 2: 3, 3: -233, 4: -233, 5: -233}, x3, x3[3:, 2:, 1:])
    g.one("3d_rest_offset2", {0: 1, 1: 2, 2: 1, 3: -233, 4: -233, 5: -233, 6: 2, 7: 1, 8: 2}, x3, x3[1:3, 2:5, 1:5])
    g.one("4d_offset_size", {0: 2, 1: 1, 13: 2, 2: 1, 3: 4, 4: 3, 14: 2, 5: 2}, x4, x4[1:3, 2:4, 1:4, 2:6])
    g.one("4d_rest", {0: 1, 1: 2, 13: 1, 2: 1, 3: -233, 4: -233, 14: -233, 5: -233, 6: 1, 7: 1, 15: 2, 8: 1}, x4, x4[1:3, 1:3, 2:5, 1:6])
    for name, x, ref, sl, p in (
            ("1d", x1, (4,), np.s_[3:7], {0: 3}),
            ("2d", x2, (3, 4), np.s_[2:5, 1:5], {0: 1, 1: 2}),
            ("3d_ref3d", x3, (2, 3, 4), np.s_[1:3, 2:5, 3:7], {0: 3, 1: 2, 2: 1}),
            ("3d_ref2d_keeps_channels", x3, (3, 4), np.s_[:, 2:5, 3:7], {0: 3, 1: 2}),
            ("3d_ref_no_offsets", x3, (5, 4, 4), np.s_[0:5, 0:4, 0:4], {}),
            ("4d", x4, (2, 3, 2, 4), np.s_[1:3, 2:5, 3:5, 2:6], {0: 2, 1: 3, 13: 2, 2: 1})):
        r = g.rng.data(*ref)
        g.one("reference_" + name, p, [x, r], x[sl], note="only the shape of the second input is used")
    g.one("slice_1d", {9: [2], 10: [7]}, x1, x1[2:7])
    g.one("slice_2d_all_axes", {9: [1, 2], 10: [5, 6]}, x2, x2[1:5, 2:6])
    g.one("slice_3d_negative", {9: [1, -4, 2], 10: [-1, -1, 6]}, x3, x3[1:-1, -4:-1, 2:6])
    g.one("slice_3d_axes", {9: [2, 1], 10: [5, 4], 11: [2, 0]}, x3, x3[1:4, :, 2:5], note="axes in any order, others whole")
    g.one("slice_3d_negative_axes", {9: [2], 10: [5], 11: [-1]}, x3, x3[:, :, 2:5])
    g.one("slice_end_beyond", {9: [1], 10: [100], 11: [1]}, x3, x3[:, 1:], note="an end beyond the size is cut")
    g.one("slice_233", {9: [-233, 2], 10: [3, -233], 11: [0, 2]}, x3, x3[:3, :, 2:], note="-233: start at 0, end at the size")
    g.one("slice_4d", {9: [1, 2, 0, 3], 10: [3, 4, 5, 7]}, x4, x4[1:3, 2:4, 0:5, 3:7])
    g.one("slice_4d_axes", {9: [1, 2], 10: [4, 6], 11: [1, 3]}, x4, x4[:, 1:4, :, 2:6])
    x = g.rng.data(8, 5, 6)
    g.one("channels_of_packed", {9: [4], 10: [8], 11: [0]}, x, x[4:8])
    g.one("channels_of_packed_odd", {9: [3], 10: [8], 11: [0]}, x, x[3:8])
    g.one("whole", {9: [0], 10: [8], 11: [0]}, x, x)
    g.write()

    g = Golden("Padding", 0, 0)
    modes = (("constant", 0), ("edge", 1), ("reflect", 2))

    def pad(x, widths, mode, value=0.0):
        if mode == 0:
            return np.pad(x, widths, constant_values=value)
        return np.pad(x, widths, mode="edge" if mode == 1 else "reflect")

    for name, mode in modes:
        x = g.rng.data(6)
        g.one(name + "_1d", {2: 2, 3: 3, 4: mode}, x, pad(x, ((2, 3),), mode))
        x = g.rng.data(4, 5)
        g.one(name + "_2d", {0: 1, 1: 2, 2: 3, 3: 0, 4: mode}, x, pad(x, ((1, 2), (3, 0)), mode))
        x = g.rng.data(3, 4, 5)
        g.one(name + "_3d", {0: 1, 1: 2, 2: 3, 3: 1, 4: mode}, x, pad(x, ((0, 0), (1, 2), (3, 1)), mode))
        x = g.rng.data(8, 4, 13)
        g.one(name + "_3d_c8", {0: 1, 1: 1, 2: 1, 3: 1, 4: mode}, x, pad(x, ((0, 0), (1, 1), (1, 1)), mode))
        x = g.rng.data(3, 4, 5)
        g.one(name + "_3d_channels", {0: 1, 1: 0, 2: 0, 3: 2, 4: mode, 7: 1, 8: 2}, x, pad(x, ((1, 2), (1, 0), (0, 2)), mode),
              note="front and behind pad the channels of a 3-d blob")
        x = g.rng.data(2, 3, 3, 4)
        g.one(name + "_4d", {0: 1, 1: 2, 2: 2, 3: 1, 4: mode, 7: 1, 8: 2}, x, pad(x, ((0, 0), (1, 2), (1, 2), (2, 1)), mode),
              note="front and behind pad the depth of a 4-d blob")
    x = g.rng.data(3, 4, 5)
    g.one("constant_value", {0: 1, 1: 1, 2: 2, 3: 2, 5: -1.5}, x, pad(x, ((0, 0), (1, 1), (2, 2)), 0, -1.5))
    g.one("constant_value_channels", {0: 1, 1: 1, 2: 2, 3: 2, 5: 0.75, 7: 1, 8: 1}, x, pad(x, ((1, 1), (1, 1), (2, 2)), 0, 0.75))
    g.one("nothing", {}, x, x)
    x = g.rng.data(4)
    g.one("constant_value_1d", {2: 1, 3: 2, 5: 3.25}, x, pad(x, ((1, 2),), 0, 3.25))
    for c in (3, 8):
        x, v = g.rng.data(c, 3, 4), g.rng.data(c)
        y = np.stack([pad(x[i], ((1, 2), (2, 1)), 0, v[i]) for i in range(c)])
        g.one("per_channel_c%d" % c, {0: 1, 1: 2, 2: 2, 3: 1, 6: c}, x, y, raw(v))
    g.write()


def reshapes():
    g = Golden("Reshape", 0, 0)

    def case(name, src, dst, p, note=None):
        x = g.rng.data(*src)
        g.one(name, p, x, x.reshape(dst), note=note)

    case("3d_to_1d", (3, 4, 5), (60,), {0: 60})
    case("3d_to_1d_minus1", (3, 4, 5), (60,), {0: -1})
    case("3d_c_odd_plane_to_1d", (5, 3, 3), (45,), {0: -1}, "channel planes are not a multiple of 16 bytes")
    case("3d_to_2d", (3, 4, 5), (12, 5), {0: 5, 1: 12})
    case("3d_to_2d_minus1_w", (3, 4, 5), (4, 15), {0: -1, 1: 4})
    case("3d_to_2d_minus1_h", (3, 4, 5), (10, 6), {0: 6, 1: -1})
    case("3d_to_2d_zero", (3, 4, 5), (12, 5), {0: 0, 1: -1}, "0 keeps the input's w")
    case("3d_to_2d_keep_h", (3, 4, 5), (4, 15), {0: -1, 1: 0}, "0 keeps the input's h")
    case("2d_to_3d", (6, 8), (2, 3, 8), {0: 8, 1: 3, 2: 2})
    case("1d_to_3d", (24,), (2, 3, 4), {0: 4, 1: 3, 2: -1})
    case("1d_to_3d_c8", (72,), (8, 3, 3), {0: 3, 1: 3, 2: 8})
    case("3d_to_3d", (4, 3, 5), (6, 2, 5), {0: 5, 1: 2, 2: 6})
    case("3d_to_3d_same_c", (4, 3, 5), (4, 5, 3), {0: 3, 1: 5, 2: 4})
    case("3d_to_3d_zero_c", (4, 3, 5), (4, 1, 15), {0: -1, 1: 1, 2: 0}, "0 keeps the input's c")
    case("3d_to_4d", (6, 4, 5), (2, 3, 4, 5), {0: 5, 1: 4, 11: 3, 2: 2})
    case("3d_to_4d_minus1_d", (6, 4, 5), (2, 3, 4, 5), {0: 5, 1: 4, 11: -1, 2: 2})
    case("4d_to_3d", (2, 3, 4, 5), (2, 12, 5), {0: 5, 1: -1, 2: 2})
    case("4d_to_1d", (2, 3, 3, 3), (54,), {0: -1})
    case("4d_to_4d_zero", (2, 3, 4, 5), (2, 3, 20, 1), {0: 1, 1: -1, 11: 0, 2: 0})
    case("4d_to_2d", (2, 3, 4, 5), (6, 20), {0: 20, 1: 6})
    case("2d_to_2d", (4, 6), (3, 8), {0: 8, 1: 3})
    case("2d_to_1d", (4, 6), (24,), {0: -1})
    case("1d_to_1d", (7,), (7,), {0: -1})
    case("1d_to_2d_row", (7,), (1, 7), {0: 7, 1: 1})
    case("shuffle_head", (8, 3, 4), (8, 12), {0: -1, 1: 8})
    g.write()

    g = Golden("Flatten", 0, 0)
    for shape in ((5,), (3, 4), (3, 4, 5), (5, 3, 3), (8, 2, 3), (2, 3, 2, 3)):
        x = g.rng.data(*shape)
        g.one("x".join(map(str, shape)), {}, x, x.reshape(-1))
    g.write()

    g = Golden("Squeeze", 0, 0)

    def sq(name, shape, p, out, note=None):
        x = g.rng.data(*shape)
        g.one(name, p, x, x.reshape(out), note=note)

    for shape, out in (((5, 1, 1), (5,)), ((1, 4, 3), (4, 3)), ((5, 1, 3), (5, 3)), ((5, 4, 1), (5, 4)), ((1, 1, 6), (6,)), ((1, 6), (6,)), ((6, 1), (6,)),
                       ((2, 1, 3, 1), (2, 3)), ((3, 1, 1, 1), (3,)), ((1, 2, 3, 4), (2, 3, 4))):
        sq("flags_" + "x".join(map(str, shape)), shape, {0: 1, 1: 1, 11: 1, 2: 1}, out, "all flags: every axis of size 1 goes")
    sq("flag_w", (5, 1, 1), {0: 1}, (5, 1))
    sq("flag_h", (5, 1, 1), {1: 1}, (5, 1))
    sq("flag_c", (1, 4, 1), {2: 1}, (4, 1))
    sq("flag_w_not_one", (5, 1, 3), {0: 1}, (5, 1, 3), "an axis that is not 1 stays")
    sq("flag_d", (2, 1, 3, 1), {11: 1}, (2, 3, 1))
    sq("axes_1", (5, 1, 1), {3: [1]}, (5, 1))
    sq("axes_minus1", (5, 4, 1), {3: [-1]}, (5, 4))
    sq("axes_0_2", (1, 4, 1), {3: [0, 2]}, (4,))
    sq("axes_0", (1, 6), {3: [0]}, (6,))
    sq("axes_4d", (1, 3, 1, 4), {3: [0, -2]}, (3, 4))
    g.write()

    g = Golden("ExpandDims", 0, 0)

    def ex(shape, axes, out):
        x = g.rng.data(*shape)
        g.one("%dd_%s" % (len(shape), "_".join(map(str, axes))), {3: axes}, x, x.reshape(out))

    ex((5,), [0], (1, 5))
    ex((5,), [1], (5, 1))
    ex((5,), [-1], (5, 1))
    ex((5,), [-2], (1, 5))
    ex((5,), [0, 1], (1, 1, 5))
    ex((5,), [0, 2], (1, 5, 1))
    ex((5,), [1, 2], (5, 1, 1))
    ex((3, 4), [0], (1, 3, 4))
    ex((3, 4), [1], (3, 1, 4))
    ex((3, 4), [2], (3, 4, 1))
    ex((3, 4), [-1], (3, 4, 1))
    ex((3, 4), [-3], (1, 3, 4))
    ex((3, 4), [0, 3], (1, 3, 4, 1))
    ex((2, 3, 4), [0], (1, 2, 3, 4))
    ex((2, 3, 4), [1], (2, 1, 3, 4))
    ex((2, 3, 4), [2], (2, 3, 1, 4))
    ex((2, 3, 4), [3], (2, 3, 4, 1))
    g.write()


# order_type -> the input axes, outermost first, that the output axes take
PERMUTE = {
    2: [(0, 1), (1, 0)],
    3: [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)],
    4: [(0, 1, 2, 3), (0, 1, 3, 2), (0, 2, 1, 3), (0, 2, 3, 1), (0, 3, 1, 2), (0, 3, 2, 1),
        (1, 0, 2, 3), (1, 0, 3, 2), (1, 2, 0, 3), (1, 2, 3, 0), (1, 3, 0, 2), (1, 3, 2, 0),
        (2, 0, 1, 3), (2, 0, 3, 1), (2, 1, 0, 3), (2, 1, 3, 0), (2, 3, 0, 1), (2, 3, 1, 0),
        (3, 0, 1, 2), (3, 0, 2, 1), (3, 1, 0, 2), (3, 1, 2, 0), (3, 2, 0, 1), (3, 2, 1, 0)],
}


def rearrange():
    g = Golden("Permute", 0, 0)
    for n, orders in PERMUTE.items():
        for i, axes in enumerate(orders):
            for shape in {2: ((3, 5), (8, 6)), 3: ((3, 4, 5), (8, 3, 4)), 4: ((2, 3, 4, 5),)}[n]:
                x = g.rng.data(*shape)
                g.one("%dd_%d_%s" % (n, i, "x".join(map(str, shape))), {0: i}, x, np.transpose(x, axes))
    g.write()

    g = Golden("ShuffleChannel", 0, 0)
    g.one("hand_group2", {0: 2}, f32([0, 1, 2, 3, 4, 5]).reshape(6, 1, 1), f32([0, 3, 1, 4, 2, 5]).reshape(6, 1, 1), note="typed in")
    g.one("hand_group2_reverse", {0: 2, 1: 1}, f32([0, 1, 2, 3, 4, 5]).reshape(6, 1, 1), f32([0, 2, 4, 1, 3, 5]).reshape(6, 1, 1), note="typed in")
    for c, groups in ((6, 2), (6, 3), (8, 2), (8, 4), (16, 2), (12, 3), (5, 1), (24, 8)):
        x = g.rng.data(c, 3, 4)
        t = "c%d_g%d" % (c, groups)
        g.one(t, {0: groups}, x, x.reshape(groups, c // groups, 3, 4).transpose(1, 0, 2, 3).reshape(c, 3, 4))
        g.one(t + "_reverse", {0: groups, 1: 1}, x, x.reshape(c // groups, groups, 3, 4).transpose(1, 0, 2, 3).reshape(c, 3, 4))
    g.write()

    g = Golden("PixelShuffle", 0, 0)
    x = f32([1, 2, 3, 4]).reshape(4, 1, 1)
    g.one("hand", {0: 2}, x, f32([[[1, 2], [3, 4]]]), note="typed in")
    for r, oc, h, w in ((2, 1, 3, 4), (2, 3, 2, 3), (3, 2, 2, 2), (2, 4, 3, 3), (4, 1, 2, 2)):
        x = g.rng.data(oc * r * r, h, w)
        t = "r%d_to_c%d" % (r, oc)
        g.one(t + "_mode0", {0: r}, x, x.reshape(oc, r, r, h, w).transpose(0, 3, 1, 4, 2).reshape(oc, h * r, w * r),
              note="input channel = (c*r + dy)*r + dx")
        g.one(t + "_mode1", {0: r, 1: 1}, x, x.reshape(r, r, oc, h, w).transpose(2, 3, 0, 4, 1).reshape(oc, h * r, w * r),
              note="input channel = (dy*r + dx)*outc + c")
    g.write()

    g = Golden("Reorg", 0, 0)
    x = f32([[[1, 2], [3, 4]]])
    g.one("hand", {0: 2}, x, f32([1, 2, 3, 4]).reshape(4, 1, 1), note="typed in")
    for s, c, h, w in ((2, 1, 4, 6), (2, 3, 4, 4), (3, 2, 6, 3), (2, 4, 4, 6)):
        x = g.rng.data(c, h, w)
        t = "s%d_c%d" % (s, c)
        v = x.reshape(c, h // s, s, w // s, s)
        g.one(t + "_mode0", {0: s}, x, v.transpose(0, 2, 4, 1, 3).reshape(c * s * s, h // s, w // s), note="output channel = (c*s + dy)*s + dx")
        g.one(t + "_mode1", {0: s, 1: 1}, x, v.transpose(2, 4, 0, 1, 3).reshape(c * s * s, h // s, w // s), note="output channel = (dy*s + dx)*inc + c")
    g.write()

    g = Golden("Tile", 0, 0)
    for shape in ((5,), (3, 4), (2, 3, 4), (2, 3, 2, 3), (8, 2, 3)):
        for axis in range(len(shape)):
            x = g.rng.data(*shape)
            reps = [1] * len(shape)
            reps[axis] = 3
            g.one("%s_axis%d" % ("x".join(map(str, shape)), axis), {0: axis, 1: 3}, x, np.tile(x, reps))
    x = g.rng.data(2, 3, 4)
    g.one("tiles_1", {0: 0, 1: 1}, x, x)
    for shape, reps in (((5,), [2]), ((3, 4), [2, 3]), ((3, 4), [2]), ((2, 3, 4), [2, 1, 3]), ((2, 3, 4), [3, 2]), ((2, 3, 4), [2]), ((2, 3, 2, 3), [2, 1, 2, 2]),
                        ((2, 3, 2, 3), [2, 3, 1]), ((5,), [2, 3]), ((3, 4), [2, 1, 2]), ((5,), [2, 3, 2]), ((3, 4), [2, 2, 1, 2])):
        x = g.rng.data(*shape)
        g.one("repeats_%s_by_%s" % ("x".join(map(str, shape)), "x".join(map(str, reps))), {2: reps}, x, np.tile(x, reps), note="as numpy.tile")
    g.write()

    g = Golden("Noop", 0, 0)
    for shape in ((5,), (3, 4), (2, 3, 4)):
        x = g.rng.data(*shape)
        g.one("%dd" % len(shape), {}, x, x)
    g.write()


if __name__ == "__main__":
    concat_split_slice()
    crop_pad()
    reshapes()
    rearrange()
