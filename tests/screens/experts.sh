# A pair with two experts a layer, of values that need no library: experts.sh FOLDER
set -eu
make() {
    mkdir -p "$1/$2"
    entries= offset=0
    for entry in model.embed_tokens.weight:8 model.layers.0.mlp.gate.weight:2 model.layers.0.mlp.experts.0.up_proj.weight:4 \
        model.layers.0.mlp.experts.1.up_proj.weight:4 model.layers.0.input_layernorm.weight:1 \
        model.layers.0.input_layernorm.bias:1; do
        rows=${entry#*:} end=$((offset + 16 * ${entry#*:}))
        entries="$entries${entries:+,}\"${entry%:*}\":{\"dtype\":\"F32\",\"shape\":[$rows,4],\"data_offsets\":[$offset,$end]}"
        offset=$end
    done
    header="{$entries}"
    while [ $((${#header} % 8)) -ne 0 ]; do header="$header "; done
    length=${#header}
    {
        # eight bytes, the lowest first
        for byte in 0 1 2 3 4 5 6 7; do
            printf "\\$(printf %03o $((length >> (8 * byte) & 255)))"
        done
        printf %s "$header"
        yes "$3" | tr -d '\n' | head -c "$offset"
    } >"$1/$2/model.safetensors"
    echo '{"model_type": "mixtral"}' >"$1/$2/config.json"
}
make "$1" base '000?0@0?000?P00?'
make "$1" sft '000?0@0?p00?P00?'
