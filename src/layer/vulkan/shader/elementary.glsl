// Functions of one or two numbers.
float sigmoid(float x) { return 1.0 / (1.0 + exp(-x)); }
float erf(float x) {
    // Abramowitz and Stegun, 7.1.26: absolute error below 1.5e-7.
    const float t = 1.0 / (1.0 + 0.3275911 * abs(x));
    const float y =
        1.0 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * exp(-x * x);
    return x < 0.0 ? -y : y;
}
// tanh without overflow on devices that compute it from exponentials.
float tanh_of(float x) { return tanh(clamp(x, -15.0, 15.0)); }
float whole_power(float x, int n) {
    float y = 1.0;
    for (int k = abs(n); k != 0; k >>= 1) {
        y *= (k & 1) != 0 ? x : 1.0;
        x *= x;
    }
    return n < 0 ? 1.0 / y : y;
}
// A negative x needs a whole y, else the result is no number.
float power_of(float x, float y) {
    const bool is_whole = y == floor(y);
    if (is_whole && abs(y) <= 64.0) {
        return whole_power(x, int(y));
    }
    if (x == 0.0) {
        return y > 0.0 ? 0.0 : uintBitsToFloat(0x7f800000u);
    }
    const float size = exp2(y * log2(abs(x)));
    const bool odd = y - 2.0 * floor(0.5 * y) != 0.0;
    return x > 0.0 ? size : !is_whole ? uintBitsToFloat(0x7fc00000u) : odd ? -size : size;
}
// GLSL leaves the origin open.
float atan2_of(float y, float x) { return y == 0.0 && x == 0.0 ? 0.0 : atan(y, x); }

float softplus(float x) { return max(x, 0.0) + log(1.0 + exp(-abs(x))); }
// e^x - 1 without cancellation near 0.
float exp_less_one(float x) {
    return abs(x) < 0.03125 ? x * (1.0 + x * (0.5 + x * (0.16666667 + x * 0.041666667))) : exp(x) - 1.0;
}

// Elementary::Function of layer/operation.h.
float elementary(int function, float v, float p, float q) {
    switch (function) {
        case 0: return v;
        case 1: return abs(v);
        case 2: return erf(v);
        case 3: return exp(v);
        case 4: return log(v);
        case 5: return power_of(v, p);
        case 6: return power_of(p, v);
        case 7: return v > p ? 1.0 : 0.0;
        case 8: return v < -p ? v + q : v > p ? v - q : 0.0;
        case 9: return floor(v);
        case 10: return ceil(v);
        case 11: return v * v;
        case 12: return sqrt(v);
        case 13: return 1.0 / sqrt(v);
        case 14: return sin(v);
        case 15: return cos(v);
        case 16: return tan(v);
        // Devices' own may be wrong in the fourth digit.
        case 17: return atan2_of(v, sqrt((1.0 - v) * (1.0 + v)));
        case 18: return atan2_of(sqrt((1.0 - v) * (1.0 + v)), v);
        case 19: return atan(v);
        case 20: return tanh_of(v);
        case 21: return roundEven(v);
        case 22: return trunc(v);
        case 23: return softplus(v);
        case 24: return v < 0.0 ? p * exp_less_one(v) : v;
        case 25: return max(v, 0.0) + min(p * exp_less_one(v / p), 0.0);
        case 26: return v < 0.0 ? p * v : v;
        case 27: return v / p;
        case 28: return p / v;
        case 29: return v < p ? p : v;
        case 30: return p < v ? p : v;
        case 31: return atan2_of(v, p);
        default: return atan2_of(p, v);
    }
}
