// IEEE double precision by whole numbers of 32 bits, rounded to nearest even: what docs/int8-contract.md computes in
// double on the device has the bits of the CPU. A double is its 64 bits, the lower half in x. Numbers are 0 or normal;
// what would be smaller becomes 0, and nothing may overflow. Significands are 64 bits, the leading one on top; bits that
// fall off below leave a one in the lowest place, so that rounding sees them.
#extension GL_EXT_control_flow_attributes : require

const uvec2 DOUBLE_ZERO = uvec2(0u);
const int BIAS = 1023;

bool negative(uvec2 a) { return (a.y >> 31) != 0u; }
bool is_zero(uvec2 a) { return (a.x | (a.y & 0x7fffffffu)) == 0u; }
int exponent(uvec2 a) { return int((a.y >> 20) & 0x7ffu) - BIAS; }
uvec2 negated(uvec2 a) { return uvec2(a.x, a.y ^ 0x80000000u); }

bool less_long(uvec2 a, uvec2 b) { return a.y < b.y || (a.y == b.y && a.x < b.x); }
uvec2 add_long(uvec2 a, uvec2 b) {
    uint carry;
    const uint low = uaddCarry(a.x, b.x, carry);
    return uvec2(low, a.y + b.y + carry);
}
uvec2 subtract_long(uvec2 a, uvec2 b) {
    uint borrow;
    const uint low = usubBorrow(a.x, b.x, borrow);
    return uvec2(low, a.y - b.y - borrow);
}
uvec2 shift_left(uvec2 a, int n) {
    if (n == 0) {
        return a;
    }
    return n >= 32 ? uvec2(0u, a.x << (n - 32)) : uvec2(a.x << n, (a.y << n) | (a.x >> (32 - n)));
}
// What falls off is kept as a one in the lowest place.
uvec2 shift_right_sticky(uvec2 a, int n) {
    if (n == 0) {
        return a;
    }
    if (n >= 64) {
        return uvec2((a.x | a.y) != 0u ? 1u : 0u, 0u);
    }
    if (n >= 32) {
        const uint lost = a.x | (n == 32 ? 0u : a.y << (64 - n));
        return uvec2((a.y >> (n - 32)) | (lost != 0u ? 1u : 0u), 0u);
    }
    const uint lost = a.x << (32 - n);
    return uvec2((a.x >> n) | (a.y << (32 - n)) | (lost != 0u ? 1u : 0u), a.y >> n);
}

uvec2 significand(uvec2 a) { return shift_left(uvec2(a.x, (a.y & 0xfffffu) | 0x100000u), 11); }

// m * 2^(e - 63), rounded.
uvec2 rounded(bool sign, int e, uvec2 m) {
    if ((m.x | m.y) == 0u) {
        return DOUBLE_ZERO;
    }
    const int lead = 31 - (m.y != 0u ? findMSB(m.y) : findMSB(m.x) - 32);
    m = shift_left(m, lead);
    e -= lead;
    const uint rest = m.x & 0x7ffu;
    m = uvec2((m.x >> 11) | (m.y << 21), m.y >> 11);
    if (rest > 0x400u || (rest == 0x400u && (m.x & 1u) != 0u)) {
        m = add_long(m, uvec2(1u, 0u));
    }
    // The leading one adds 1 to the exponent, a carry beyond it another.
    m.y = (m.y + (uint(e + BIAS - 1) << 20)) | (sign ? 0x80000000u : 0u);
    return e > -BIAS ? m : DOUBLE_ZERO;
}

uvec2 double_of(bool sign, uvec2 magnitude) { return rounded(sign, 63, magnitude); }
uvec2 double_of(int x) { return double_of(x < 0, uvec2(x < 0 ? 0u - uint(x) : uint(x), 0u)); }
// 0 or a normal number.
uvec2 double_of(float x) {
    const uint bits = floatBitsToUint(x);
    const uint e = (bits >> 23) & 0xffu;
    if (e == 0u) {
        const uint fraction = bits & 0x7fffffu;  // smaller than normal as a float, not as a double
        return rounded((bits >> 31) != 0u, -149 + 63, uvec2(fraction, 0u));
    }
    return uvec2(bits << 29, (bits & 0x80000000u) | ((e + uint(BIAS - 127)) << 20) | ((bits & 0x7fffffu) >> 3));
}

// A result before it is rounded: as the arguments of rounded().
struct Exact {
    bool sign;
    int e;
    uvec2 m;
};
uvec2 rounded(Exact x) { return rounded(x.sign, x.e, x.m); }
Exact exact(uvec2 a) { return Exact(negative(a), exponent(a), significand(a)); }
const Exact NOTHING = Exact(false, 0, uvec2(0u));

Exact exact_sum(uvec2 a, uvec2 b) {
    if (is_zero(a) || is_zero(b)) {
        return !is_zero(a) ? exact(a) : !is_zero(b) ? exact(b) : NOTHING;
    }
    if (exponent(a) < exponent(b)) {
        const uvec2 other = a;
        a = b;
        b = other;
    }
    // Room for a carry above.
    const uvec2 x = shift_right_sticky(significand(a), 1);
    const uvec2 y = shift_right_sticky(significand(b), min(exponent(a) - exponent(b) + 1, 64));
    const int e = exponent(a) + 1;
    if (negative(a) == negative(b)) {
        return Exact(negative(a), e, add_long(x, y));
    }
    return less_long(x, y) ? Exact(negative(b), e, subtract_long(y, x)) : Exact(negative(a), e, subtract_long(x, y));
}

Exact exact_product(uvec2 a, uvec2 b) {
    if (is_zero(a) || is_zero(b)) {
        return NOTHING;
    }
    const uvec2 x = significand(a);
    const uvec2 y = significand(b);
    uint ll, lh, hl, hh, low, middle, other, high;
    umulExtended(x.x, y.x, ll, low);
    umulExtended(x.x, y.y, lh, middle);
    umulExtended(x.y, y.x, hl, other);
    umulExtended(x.y, y.y, hh, high);
    // Words of the product: low, ll + middle + other, lh + hl + high, hh.
    const uvec2 second = add_long(add_long(uvec2(ll, 0u), uvec2(middle, 0u)), uvec2(other, 0u));
    const uvec2 third = add_long(add_long(add_long(uvec2(lh, 0u), uvec2(hl, 0u)), uvec2(high, 0u)), uvec2(second.y, 0u));
    uvec2 m = uvec2(third.x, hh + third.y);
    m.x |= (low | second.x) != 0u ? 1u : 0u;
    return Exact(negative(a) != negative(b), exponent(a) + exponent(b) + 1, m);
}

// b is not 0.
Exact exact_quotient(uvec2 a, uvec2 b) {
    if (is_zero(a)) {
        return NOTHING;
    }
    uvec2 rest = uvec2(a.x, (a.y & 0xfffffu) | 0x100000u);
    const uvec2 by = uvec2(b.x, (b.y & 0xfffffu) | 0x100000u);
    uvec2 m = uvec2(0u);
    [[dont_unroll]] for (int i = 0; i < 57; ++i) {
        m = add_long(m, m);
        if (!less_long(rest, by)) {
            rest = subtract_long(rest, by);
            m.x |= 1u;
        }
        rest = add_long(rest, rest);
    }
    m = add_long(m, m);
    m.x |= (rest.x | rest.y) != 0u ? 1u : 0u;
    return Exact(negative(a) != negative(b), exponent(a) - exponent(b) + 63 - 57, m);
}

// a is not negative.
Exact exact_root(uvec2 a) {
    if (is_zero(a)) {
        return NOTHING;
    }
    const int e = exponent(a);
    const int odd = e & 1;
    // Two digits at a time from the top; 1 <= the number < 4.
    uvec2 digits = shift_right_sticky(significand(a), 1 - odd);
    uvec2 rest = uvec2(0u);
    uvec2 m = uvec2(0u);
    [[dont_unroll]] for (int i = 0; i < 56; ++i) {
        rest = uvec2((rest.x << 2) | (digits.y >> 30), (rest.y << 2) | (rest.x >> 30));
        digits = uvec2(digits.x << 2, (digits.y << 2) | (digits.x >> 30));
        const uvec2 trial = uvec2((m.x << 2) | 1u, (m.y << 2) | (m.x >> 30));
        m = add_long(m, m);
        if (!less_long(rest, trial)) {
            rest = subtract_long(rest, trial);
            m.x |= 1u;
        }
    }
    m = add_long(m, m);
    m.x |= (rest.x | rest.y) != 0u ? 1u : 0u;
    return Exact(false, (e - odd) / 2 + 63 - 56, m);
}

// One of them. A loop over several keeps a shader small, into which compilers copy every call.
const int DOUBLE_SUM = 0, DOUBLE_PRODUCT = 1, DOUBLE_QUOTIENT = 2, DOUBLE_ROOT = 3;
uvec2 double_result(int operation, uvec2 a, uvec2 b) {
    Exact x;
    switch (operation) {
        case DOUBLE_SUM: x = exact_sum(a, b); break;
        case DOUBLE_PRODUCT: x = exact_product(a, b); break;
        case DOUBLE_QUOTIENT: x = exact_quotient(a, b); break;
        default: x = exact_root(a);
    }
    return rounded(x);
}

// float(a), kept finite and normal as multipliers are: above the largest float that one, below the smallest normal 0.
float multiplier_of(uvec2 a) {
    const int e = exponent(a);
    if (e < -126 || is_zero(a)) {
        return 0.0;
    }
    const uint sign = a.y & 0x80000000u;
    const uint largest = 0x7f7fffffu;
    if (e > 127) {
        return uintBitsToFloat(sign | largest);
    }
    const uint rest = a.x & 0x1fffffffu;
    uint bits = (uint(e + 127) << 23) | ((a.y & 0xfffffu) << 3) | (a.x >> 29);
    if (rest > 0x10000000u || (rest == 0x10000000u && (bits & 1u) != 0u)) {
        ++bits;
    }
    return uintBitsToFloat(sign | min(bits, largest));
}
