"""RNN, LSTM, GRU."""
import numpy as np

from golden_common import Golden, f64, flagged, sigmoid

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def run(kind, x, weights, direction, hidden, cell, cont):
    """One direction: rows of outputs, and the last states. weights: xc [gates*units][size], b [rows][units], hc, hr or None."""
    xc, b, hc, hr = [None if w is None else f64(w) for w in weights]
    units = b.shape[1]
    h, c = f64(hidden), f64(cell)
    y = np.zeros((len(x), len(h)))
    steps = range(len(x)) if direction == 0 else reversed(range(len(x)))
    for t in steps:
        h, c = h * cont[t], c * cont[t]
        i, r = (xc @ f64(x[t])).reshape(-1, units), (hc @ h).reshape(-1, units)
        if kind == "LSTM":
            g = i + r + b
            c = sigmoid(g[1]) * c + sigmoid(g[0]) * np.tanh(g[3])
            u = sigmoid(g[2]) * np.tanh(c)
        elif kind == "GRU":
            reset, update = sigmoid(i[0] + r[0] + b[0]), sigmoid(i[1] + r[1] + b[1])
            u = (1 - update) * np.tanh(i[2] + b[2] + reset * (r[2] + b[3])) + update * h
        else:
            u = np.tanh((i + r + b)[0])
        h = u if hr is None else hr @ u
        y[t] = h
    return y, h, c


def cases(kind):
    g = Golden(kind, 1e-5, 2e-5)
    states = 2 if kind == "LSTM" else 1

    def case(label, steps, size, outputs, direction=0, units=None, given=False, wanted=False, cont=None, note=None):
        units = units or outputs
        count = 2 if direction == 2 else 1
        rows = GATES[kind] * units
        small = lambda *shape: g.rng.data(*shape, lo=-1, hi=1)
        xc, hc = small(count, rows, size), small(count, rows, outputs)
        b = small(count, 4 if kind == "GRU" else GATES[kind], units)
        hr = small(count, outputs, units) if units != outputs else None
        x = g.rng.data(steps, size)
        h0 = small(count, outputs) if given else np.zeros((count, outputs))
        c0 = small(count, units) if given else np.zeros((count, units))
        factors = cont if cont is not None else [1] * steps
        done = [run(kind, x, (xc[d], b[d], hc[d], None if hr is None else hr[d]), 1 if direction == 1 or d == 1 else 0, h0[d], c0[d], factors)
                for d in range(count)]
        params = {0: outputs, 1: xc.size, 2: direction}
        if units != outputs:
            params[3] = units
        inputs = [x] + ([h0, c0][:states] if given else [])
        if cont is not None:
            params[4] = 1
            inputs.append(np.array(cont, np.float32))
        out = [np.concatenate([d[0] for d in done], axis=1)]
        if wanted:
            out += [np.stack([d[1] for d in done]), np.stack([d[2] for d in done])][:states]
        data = flagged(xc) + flagged(b) + flagged(hc) + (b"" if hr is None else flagged(hr))
        g.one(label, params, inputs, out, data, note=note)

    case("one_step", 1, 3, 4)
    case("forwards", 5, 3, 4)
    case("backwards", 5, 3, 4, direction=1)
    case("both", 4, 5, 3, direction=2)
    case("one_unit", 6, 1, 1)
    case("many_units", 3, 5, 72 // GATES[kind], note="more columns than are summed up at once")
    case("states", 4, 3, 5, given=True, wanted=True)
    case("states_of_both", 3, 4, 2, direction=2, given=True, wanted=True)
    own = "differs from ncnn: factors of the states (4)"
    case("cont", 5, 3, 4, cont=[0, 1, 1, 0, 1], note=own)
    case("cont_and_states", 3, 2, 3, given=True, wanted=True, cont=[1, 0.5, 1], note=own)
    if kind == "LSTM":
        case("projection", 4, 3, 2, units=5)
        case("projection_of_both", 3, 3, 4, direction=2, units=3, given=True, wanted=True)
    g.write()


if __name__ == "__main__":
    for name in GATES:
        cases(name)
