// The optimizer apart from a product.

// One step of a rule over `count` elements. One work-item per VEC elements.
kernel void update(IN gradient, const int count, OUT value, OUT first, OUT second, RULE_ARGS)
{
    const int at = get_global_id(0) * VEC;
    const int left = count - at;
    if (left <= 0) return;
    const vec g = rule == IDLE ? (vec)0.0f : load(gradient + at, left);
    apply(g, at, left, value, first, second, RULE_NAMES);
}
