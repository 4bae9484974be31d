/* Activations by the names that config.json has: values and derivatives of torch 2.15 (float64, autograd) through the
 * table of transformers 5.24.0; and each derivative against differences of the value. */
#include "core/files/json.h"
#include "core/transformer/glu.h"
#include "scratch.h"

#include <math.h>

enum { POINTS = 6 };

static const double X[POINTS] = {-4.0, -1.25, -0.3, 0.4, 2.0, 7.0};

static const struct {
    const char *name;
    double values[POINTS], slopes[POINTS];
} KNOWN[] = {
    {"silu",
     {-0.0719448398, -0.278375174, -0.127667245, 0.239475064, 1.76159416, 6.99362264},
     {-0.0526646149, 0.00631915508, 0.35221999, 0.694791958, 1.09078425, 1.0054605}},
    {"gelu",
     {-0.000126684967, -0.132062217, -0.114626573, 0.262168697, 1.95449974, 7},
     {-0.000503649661, -0.122661583, 0.267672233, 0.802729798, 1.0852318, 1}},
    {"gelu_pytorch_tanh",
     {-7.02459482e-05, -0.132285797, -0.114629076, 0.262161169, 1.95459769, 7},
     {-0.000335123197, -0.122492632, 0.267704548, 0.802658834, 1.08609926, 1}},
    {"quick_gelu",
     {-0.00441472414, -0.133065699, -0.112515865, 0.26556689, 1.93565862, 6.99995313},
     {-0.00640188655, -0.0959161167, 0.255374258, 0.815824908, 1.07381535, 1.00007308}},
    {"gelu_10",
     {-0.000126684967, -0.132062217, -0.114626573, 0.262168697, 1.95449974, 7},
     {-0.000503649661, -0.122661583, 0.267672233, 0.802729798, 1.0852318, 1}},
    {"relu", {0, 0, 0, 0.4, 2, 7}, {0, 0, 0, 1, 1, 1}},
    {"relu6", {0, 0, 0, 0.4, 2, 6}, {0, 0, 0, 1, 1, 0}},
    {"relu2", {0, 0, 0, 0.16, 4, 49}, {0, 0, 0, 0.8, 4, 14}},
    {"leaky_relu", {-0.04, -0.0125, -0.003, 0.4, 2, 7}, {0.01, 0.01, 0.01, 1, 1, 1}},
    {"hardswish",
     {-0, -0.364583333, -0.135, 0.226666667, 1.66666667, 7},
     {0, 0.0833333333, 0.4, 0.633333333, 1.16666667, 1}},
    {"mish",
     {-0.0725917408, -0.308413961, -0.151133177, 0.289030534, 1.94395896, 6.99998838},
     {-0.0537732098, -0.0146975625, 0.408510877, 0.837017503, 1.06931793, 1.00002156}},
    {"sigmoid",
     {0.01798621, 0.222700139, 0.425557483, 0.59868766, 0.880797078, 0.999088949},
     {0.0176627062, 0.173104787, 0.244458312, 0.240260746, 0.104993585, 0.00091022118}},
    {"sqrtsoftplus",
     {0.134721668, 0.501925374, 0.744550364, 0.955518316, 1.45839913, 2.64592356},
     {0.0667532186, 0.221845866, 0.285781529, 0.313279008, 0.301973946, 0.188797773}},
    {"laplace",
     {0, 1.99185113e-12, 0.000178423356, 0.138150784, 0.99999771, 1},
     {4.89803953e-61, 4.99662148e-11, 0.00241458077, 0.781904186, 3.88341627e-05, 1.23224284e-108}},
    {"linear", {-4, -1.25, -0.3, 0.4, 2, 7}, {1, 1, 1, 1, 1, 1}},
    {"tanh",
     {-0.9993293, -0.84828364, -0.291312612, 0.379948962, 0.96402758, 0.999998337},
     {0.00134095068, 0.280414866, 0.915136962, 0.855638786, 0.0706508249, 3.32610934e-06}},
    {"gelu_new",
     {-7.02459482e-05, -0.132285797, -0.114629076, 0.262161169, 1.95459769, 7},
     {-0.000335123197, -0.122492632, 0.267704548, 0.802658834, 1.08609926, 1}},
    {"gelu_fast",
     {-7.02459482e-05, -0.132285797, -0.114629076, 0.262161169, 1.95459769, 7},
     {-0.000335123197, -0.122492632, 0.267704548, 0.802658834, 1.08609926, 1}},
    {"gelu_accurate",
     {-7.02459482e-05, -0.132285797, -0.114629076, 0.262161169, 1.95459769, 7},
     {-0.000335123197, -0.122492632, 0.267704548, 0.802658834, 1.08609926, 1}},
    {"gelu_python",
     {-0.000126684967, -0.132062217, -0.114626573, 0.262168697, 1.95449974, 7},
     {-0.000503649661, -0.122661583, 0.267672233, 0.802729798, 1.0852318, 1}},
    {"gelu_python_tanh",
     {-7.02459482e-05, -0.132285797, -0.114629076, 0.262161169, 1.95459769, 7},
     {-0.000335123197, -0.122492632, 0.267704548, 0.802658834, 1.08609926, 1}},
};

static Activation find(const char *name) {
    char text[400];
    cJSON *json;
    Error error = {0};
    ModelConfig config;
    (void)snprintf(
        text, sizeof text,
        "{\"model_type\":\"llama\",\"hidden_size\":64,\"num_hidden_layers\":2,\"num_attention_heads\":4,"
        "\"intermediate_size\":96,\"vocab_size\":32,\"hidden_act\":\"%s\"}",
        name);
    assert_int_equal(json_parse(text, strlen(text), "config.json", &json, &error), STATUS_OK);
    if (architecture_read_config(json, "config.json", &config, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    cJSON_Delete(json);
    assert_string_equal(config.from[CONFIG_ACTIVATION], "hidden_act");
    return config.activation;
}

static void near(const char *name, double x, double found, double expected) {
    if (!(fabs(found - expected) <= 4e-6 * fmax(1.0, fabs(expected))))
        fail_msg("%s at %g: expected %.9g, found %.9g", name, x, expected, found);
}

static void every_activation_has_the_value_and_the_derivative_of_torch(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        Activation activation = find(KNOWN[i].name);
        for (size_t k = 0; k < POINTS; k++) {
            float value, slope;
            activation_differentiate(activation, (float)X[k], &value, &slope);
            near(KNOWN[i].name, X[k], (double)value, KNOWN[i].values[k]);
            near(KNOWN[i].name, X[k], (double)slope, KNOWN[i].slopes[k]);
            assert_true(value == activation_value(activation, (float)X[k]));
        }
    }
}

static void every_derivative_is_what_the_value_does(void **state) {
    (void)state;
    static const float STEP = 0.01F;
    for (int activation = 0; activation < ACTIVATION_COUNT; activation++) {
        for (float x = -8.005F; x < 8.0F; x += 0.13F) { /* no corner within a step of any */
            float value, slope;
            activation_differentiate((Activation)activation, x, &value, &slope);
            double rise = (double)activation_value((Activation)activation, x + STEP) -
                          (double)activation_value((Activation)activation, x - STEP);
            bool corner = false;
            static const float CORNERS[] = {-3.0F, 0.0F, 3.0F, 6.0F};
            for (size_t c = 0; c < 4; c++) corner = corner || fabsf(x - CORNERS[c]) <= STEP;
            if (!corner && fabs(rise / (2.0 * (double)STEP) - (double)slope) > 2e-3)
                fail_msg("%s at %g: %g rises by %g", architecture_activation_name((Activation)activation),
                         (double)x, (double)slope, rise / (2.0 * (double)STEP));
        }
    }
}

/* transformers 5.24's XIELUActivation in float64, alpha_p 0.3, alpha_n −0.7, beta 0.45, eps −0.25. */
static void xielu_has_the_values_of_transformers(void **state) {
    (void)state;
    static const double AT[] = {-3, -1, -0.25, -0.1, 0, 0.5, 2},
                        VALUES[] = {0.39884973,   -0.136130393, -0.0879275737, -0.148405481,
                                    -0.188724086, 0.438588811,  4.31742098};
    const Xielu weights = activation_read_xielu(0.3F, -0.7F, 0.45F, -0.25F);
    for (size_t i = 0; i < sizeof AT / sizeof *AT; i++)
        near("xielu", AT[i], (double)activation_xielu(&weights, (float)AT[i]), VALUES[i]);
}

static void xielu_has_the_derivatives_of_its_value(void **state) {
    (void)state;
    static const float STEP = 0.01F;
    for (float x = -4.005F; x < 4.0F; x += 0.13F) {
        const Xielu weights = activation_read_xielu(0.3F, -0.7F, 0.45F, -0.25F);
        Xielu above = weights, below = weights;
        if (fabsf(x) <= STEP || fabsf(x + 0.25F) <= STEP) continue; /* corners */
        double rise =
            (double)activation_xielu(&weights, x + STEP) - (double)activation_xielu(&weights, x - STEP);
        if (fabs(rise / (2.0 * (double)STEP) - (double)activation_xielu_slope(&weights, x)) > 2e-3)
            fail_msg("at %g: %g rises by %g", (double)x, (double)activation_xielu_slope(&weights, x),
                     rise / (2.0 * (double)STEP));
        if (x > 0.0F)
            above.above += 1.0F;
        else
            below.below += 1.0F; /* the value goes along with both */
        near("by its weight", (double)x, (double)activation_xielu_by_weight(&weights, x),
             (double)activation_xielu(x > 0.0F ? &above : &below, x) - (double)activation_xielu(&weights, x));
    }
}

/* ---- gate and up ---- */

static const Glu GLUS[] = {
    {.activation = ACTIVATION_SILU, .scale = 1.0F},
    {.activation = ACTIVATION_SILU, .scale = 1.0F, .clamp = 0.7F},
    {.activation = ACTIVATION_GELU, .scale = 0.3F, .clamp = 0.2F},
    {.activation = ACTIVATION_SILU, .scale = 1.0F, .limit = 0.9F, .alpha = 1.3F},
    {.activation = ACTIVATION_GELU_TANH, .scale = 1.7F},
    {.activation = ACTIVATION_RELU_SQUARED, .scale = 1.0F, .is_plain = true},
    {.activation = ACTIVATION_XIELU, .scale = 1.0F, .is_plain = true, .xielu = {0.85F, 0.86F, 0.45F, -0.25F}},
};

/* On a grid none of whose points is within a step of a corner. */
static void gate_and_up_have_the_derivatives_of_their_value(void **state) {
    (void)state;
    static const float STEP = 0.005F;
    for (size_t i = 0; i < sizeof GLUS / sizeof *GLUS; i++) {
        const Glu *glu = &GLUS[i];
        for (float gate = -2.03F; gate < 2.2F; gate += 0.11F) {
            for (float up = -2.03F; up < 2.2F; up += 0.11F) {
                float by_gate, by_up;
                glu_differentiate(glu, gate, up, &by_gate, &by_up);
                double of_gate = ((double)glu_value(glu, gate + STEP, up) -
                                  (double)glu_value(glu, gate - STEP, up)) /
                                 (2.0 * (double)STEP),
                       of_up = ((double)glu_value(glu, gate, up + STEP) -
                                (double)glu_value(glu, gate, up - STEP)) /
                               (2.0 * (double)STEP);
                if (fabs(of_gate - (double)by_gate) > 2e-3 || fabs(of_up - (double)by_up) > 2e-3)
                    fail_msg("%zu at %g, %g: %g, %g, not %g, %g", i, (double)gate, (double)up,
                             (double)by_gate, (double)by_up, of_gate, of_up);
            }
        }
    }
}

/* Many at once: what each gives alone, times what comes from above. SiLU's exponential is another one there. */
static void gate_and_up_descend_as_each_alone(void **state) {
    (void)state;
    enum { COUNT = 83 };
    float gate[COUNT], up[COUNT], from[COUNT], to_gate[COUNT], to_up[COUNT];
    for (size_t k = 0; k < COUNT; k++) {
        gate[k] = (float)k * 0.11F - 4.53F;
        up[k] = 2.03F - (float)(k % 37) * 0.11F;
        from[k] = 0.5F + (float)(k % 5);
    }
    for (size_t i = 0; i < sizeof GLUS / sizeof *GLUS; i++) {
        glu_descend(&GLUS[i], gate, up, from, COUNT, GLUS[i].is_plain ? NULL : to_gate, to_up);
        for (size_t k = 0; k < COUNT; k++) {
            float by_gate, by_up;
            glu_differentiate(&GLUS[i], gate[k], up[k], &by_gate, &by_up);
            assert_true(fabsf(to_up[k] - from[k] * by_up) <= 1e-6F * from[k] * (1.0F + fabsf(gate[k])));
            if (!GLUS[i].is_plain)
                assert_true(fabsf(to_gate[k] - from[k] * by_gate) <= 1e-6F * from[k] * (1.0F + fabsf(up[k])));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation_has_the_value_and_the_derivative_of_torch),
        cmocka_unit_test(every_derivative_is_what_the_value_does),
        cmocka_unit_test(xielu_has_the_values_of_transformers),
        cmocka_unit_test(xielu_has_the_derivatives_of_its_value),
        cmocka_unit_test(gate_and_up_have_the_derivatives_of_their_value),
        cmocka_unit_test(gate_and_up_descend_as_each_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
