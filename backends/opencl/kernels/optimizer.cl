// What becomes of a gradient.
//
// numbers: Adam's step i of `steps` uses rate / (1 - beta1^t) and 1 / sqrt(1 - beta2^t), pairwise;
// momentum uses rate, mu, 1 - mu, decay.

#define STORE 0
#define ADAM 1
#define MOMENTUM 2
// Adam's steps on a zero gradient, without the first one.
#define IDLE 3
#define RULE_ARGS const int rule, const int steps, const float16 numbers
#define RULE_NAMES rule, steps, numbers
#define DECAY s3

// One step of Adam; without a gradient if `idle`.
INLINE void step_adam(vec gradient, int idle, float rate, float root, vec *w, vec *m, vec *v)
{
    *m = 0.9f * *m;
    *v = 0.999f * *v;
    if (!idle) {
        *m += 0.1f * gradient;
        *v += 0.001f * gradient * gradient;
    }
    *m = flushed(*m);
    *v = flushed(*v);
    *w -= rate * *m / (sqrt(*v) * root + 1e-8f);
}

INLINE void step_momentum(vec gradient, float16 numbers, vec *w, vec *m)
{
    *m = flushed(numbers.s1 * *m - numbers.s2 * gradient);
    *w += numbers.s0 * (*m - numbers.DECAY * *w);
}

// Stores the gradient of elements at .. at + VEC, of which `left` exist, or steps along it.
INLINE void apply(vec gradient, size_t at, int left, OUT value, OUT first, OUT second, RULE_ARGS)
{
    if (rule == STORE) {
        store(gradient, value + at, left);
        return;
    }
    vec w = load(value + at, left), m = load(first + at, left);
    if (rule == MOMENTUM) {
        step_momentum(gradient, numbers, &w, &m);
    } else {
        // The current step's pair comes first.
        float16 pairs = numbers;
        vec v = load(second + at, left);
        for (int i = 0; i < steps; i++) {
            step_adam(gradient, i > 0 || rule == IDLE, pairs.s0, pairs.s1, &w, &m, &v);
            pairs = pairs.s23456789abcdef01;
        }
        store(v, second + at, left);
    }
    store(w, value + at, left);
    store(m, first + at, left);
}
