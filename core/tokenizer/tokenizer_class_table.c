#include "core/tokenizer/tokenizer_class.h"

#include <stddef.h>
#include <string.h>

const char *const TOKENIZER_NAMED_KEYS[NAMED_COUNT] = {
    [NAMED_BEGINNING] = "bos_token", [NAMED_END] = "eos_token",     [NAMED_UNKNOWN] = "unk_token",
    [NAMED_SEPARATOR] = "sep_token", [NAMED_PADDING] = "pad_token", [NAMED_CLASS] = "cls_token",
    [NAMED_MASK] = "mask_token"};

/* ---- what classes put in place: read from transformers 5.24.0, models/NAME/tokenization_NAME.py ----
 *
 * add_prefix_space and prepend_scheme are filled in from the configuration.
 */

#define BYTE_LEVEL(cuts)     "{\"type\":\"ByteLevel\",\"trim_offsets\":true,\"use_regex\":" cuts "}"
#define METASPACE            "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"split\":false}"
#define SEQUENCE(key, steps) "{\"type\":\"Sequence\",\"" key "\":[" steps "]}"
#define SPLIT_AT(regex)                                                                                      \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex "\"},\"behavior\":\"Isolated\",\"invert\":false}"
#define BYTES_OF_PIECES                                                                                      \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"▁\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}"
#define STRIP_FIRST "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}"

static const char NFC[] = "{\"type\":\"NFC\"}";
static const char BYTES[] = BYTE_LEVEL("true");
static const char PIECES[] = SEQUENCE("decoders", BYTES_OF_PIECES);
static const char PIECES_STRIPPED[] = SEQUENCE("decoders", BYTES_OF_PIECES "," STRIP_FIRST);
static const char MARKS[] = METASPACE;
static const char SPACES_TO_MARKS[] =
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}";
static const char AFTER_SPACES[] =
    "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"MergedWithPrevious\",\"invert\":false}";
static const char DIGITS_BYTES[] =
    SEQUENCE("pretokenizers", "{\"type\":\"Digits\",\"individual_digits\":true}," BYTE_LEVEL("true"));
static const char QWEN2[] = SEQUENCE(
    "pretokenizers",
    SPLIT_AT(
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}|"
        " ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+") "," BYTE_LEVEL("false"));
static const char QWEN3_5[] = SEQUENCE(
    "pretokenizers",
    SPLIT_AT(
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?[\\\\p{L}\\\\p{M}]+|\\\\p{N}|"
        " ?[^\\\\s\\\\p{L}\\\\p{M}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+") "," BYTE_LEVEL("false"));

#define WORDS               "{\"type\":\"WhitespaceSplit\"}"
#define CUT_METASPACE(more) "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"split\":true" more "}"
#define ALWAYS              ",\"prepend_scheme\":\"always\""
#define TABLE               "{\"type\":\"Precompiled\"}"
#define REPLACE(pattern, content)                                                                            \
    "{\"type\":\"Replace\",\"pattern\":{" pattern "},\"content\":\"" content "\"}"

static const char ONLY_TABLE[] = SEQUENCE("normalizers", TABLE);
static const char TABLE_ONE_SPACE[] = SEQUENCE("normalizers", TABLE "," REPLACE("\"Regex\":\" {2,}\"", " "));
static const char ALBERT[] = SEQUENCE(
    "normalizers", REPLACE("\"String\":\"``\"", "\\\"") "," REPLACE("\"String\":\"''\"", "\\\"") ","
    "{\"type\":\"NFKD\",\"unless\":\"keep_accents\"},{\"type\":\"StripAccents\",\"unless\":\"keep_accents\"},"
    "{\"type\":\"Lowercase\",\"with\":\"do_lower_case\"}," TABLE);
static const char MARKED[] = CUT_METASPACE("");
static const char MARKED_ALWAYS[] = CUT_METASPACE(ALWAYS);
static const char WORDS_MARKED[] = SEQUENCE("pretokenizers", WORDS "," CUT_METASPACE(""));
static const char WORDS_MARKED_ALWAYS[] = SEQUENCE("pretokenizers", WORDS "," CUT_METASPACE(ALWAYS));

static const char *const MADE_UP[] = {"<madeupword0>", "<madeupword1>", "<madeupword2>", "<madeupword3>",
                                      "<madeupword4>", "<madeupword5>", "<madeupword6>", NULL};
static const char *const INFILLING[] = {"▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>", "<FILL_ME>", NULL};

#define END_OF_TEXT "<|endoftext|>"

static const TokenizerClass CLASSES[] = {
    {.name = "LlamaTokenizer",
     .pre_tokenizer = MARKS,
     .decoder = PIECES_STRIPPED,
     .bare_decoder = PIECES,
     .fuse_unknown = true,
     .byte_fallback = true,
     .prefix_space = true,
     .heeds_legacy = true,
     .tokens = {"<s>", "</s>", "<unk>"}},
    {.name = "CodeLlamaTokenizer",
     .pre_tokenizer = MARKS,
     .decoder = PIECES_STRIPPED,
     .fuse_unknown = true,
     .byte_fallback = true,
     .has_unknown = true,
     .prefix_space = true,
     .processor = PROCESSOR_BEGINNING,
     .tokens = {"<s>", "</s>", "<unk>"},
     .extra = INFILLING,
     .extra_are_names = true},
    {.name = "GemmaTokenizer",
     .normalizer = SPACES_TO_MARKS,
     .pre_tokenizer = AFTER_SPACES,
     .decoder = PIECES,
     .fuse_unknown = true,
     .byte_fallback = true,
     .has_unknown = true,
     .tokens = {"<bos>", "<eos>", "<unk>", NULL, "<pad>", NULL, "<mask>"},
     .knows_padding = true},
    {.name = "Qwen2Tokenizer",
     .normalizer = NFC,
     .pre_tokenizer = QWEN2,
     .decoder = BYTES,
     .ending = ENDING_TEXTS,
     .tokens = {NULL, END_OF_TEXT, END_OF_TEXT, NULL, END_OF_TEXT},
     .reads_merges = true,
     .knows_padding = true},
    {.name = "Qwen3_5Tokenizer",
     .normalizer = NFC,
     .pre_tokenizer = QWEN3_5,
     .decoder = BYTES,
     .tokens = {NULL, END_OF_TEXT, END_OF_TEXT, NULL, END_OF_TEXT},
     .knows_padding = true},
    {.name = "GPT2Tokenizer",
     .pre_tokenizer = BYTES,
     .decoder = BYTES,
     .tokens = {END_OF_TEXT, END_OF_TEXT, END_OF_TEXT},
     .reads_merges = true,
     .knows_padding = true},
    {.name = "CodeGenTokenizer",
     .pre_tokenizer = BYTES,
     .decoder = BYTES,
     .tokens = {END_OF_TEXT, END_OF_TEXT, END_OF_TEXT},
     .reads_merges = true,
     .knows_padding = true},
    {.name = "GPTNeoXTokenizer",
     .normalizer = NFC,
     .pre_tokenizer = BYTES,
     .decoder = BYTES,
     .processor = PROCESSOR_NONE,
     .tokens = {END_OF_TEXT, END_OF_TEXT, END_OF_TEXT, NULL, "<|padding|>"},
     .reads_merges = true,
     .knows_padding = true},
    {.name = "CohereTokenizer",
     .normalizer = NFC,
     .pre_tokenizer = DIGITS_BYTES,
     .decoder = BYTES,
     .ending = ENDING_TOKENS,
     .tokens = {"<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>", "<UNK>", "<SEP>", "<PAD>", "<CLS>", "<MASK_TOKEN>"},
     .reads_merges = true,
     .knows_padding = true},
    {.name = "T5Tokenizer",
     .is_unigram = true,
     .unknown_id = 2,
     .vocabulary = VOCABULARY_EXTRA_IDS,
     .model_name = "spiece.model",
     .normalizer = ONLY_TABLE,
     .pre_tokenizer = WORDS_MARKED_ALWAYS,
     .decoder = MARKED_ALWAYS,
     .processor = PROCESSOR_ENDED,
     .tokens = {NULL, "</s>", "<unk>", NULL, "<pad>"},
     .knows_padding = true},
    {.name = "XLMRobertaTokenizer",
     .is_unigram = true,
     .unknown_id = 3,
     .vocabulary = VOCABULARY_FAIRSEQ,
     .model_name = "sentencepiece.bpe.model",
     .normalizer = ONLY_TABLE,
     .pre_tokenizer = WORDS_MARKED,
     .decoder = MARKED,
     .prefix_space = true,
     .processor = PROCESSOR_FRAMED,
     .tokens = {"<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>"},
     .knows_padding = true},
    {.name = "XGLMTokenizer",
     .is_unigram = true,
     .unknown_id = 3,
     .normalizer = TABLE_ONE_SPACE,
     .pre_tokenizer = MARKED,
     .decoder = MARKED,
     .prefix_space = true,
     .processor = PROCESSOR_AFTER_END,
     .tokens = {"<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>"},
     .knows_padding = true,
     .extra = MADE_UP},
    {.name = "AlbertTokenizer",
     .is_unigram = true,
     .unknown_id = 1,
     .model_name = "spiece.model",
     .normalizer = ALBERT,
     .pre_tokenizer = WORDS_MARKED,
     .decoder = MARKED,
     .prefix_space = true,
     .processor = PROCESSOR_CLASSED,
     .tokens = {"[CLS]", "[SEP]", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]"},
     .knows_padding = true},
};

/* ---- which there are: from TOKENIZER_MAPPING_NAMES of transformers 5.24.0, models/auto/tokenization_auto.py, without
 * mistral-common ---- */

/* Classes that have parts of their own and are not in the table above. */
static const char OTHERS[] =
    "BartTokenizer BarthezTokenizer BartphoTokenizer BertGenerationTokenizer "
    "BertJapaneseTokenizer BertTokenizer BertweetTokenizer BigBirdTokenizer BioGptTokenizer "
    "BlenderbotSmallTokenizer BlenderbotTokenizer ByT5Tokenizer CLIPTokenizer CTRLTokenizer "
    "CamembertTokenizer CanineTokenizer ClvpTokenizer ConvBertTokenizer CpmAntTokenizer "
    "CpmTokenizer DPRContextEncoderTokenizer DPRQuestionEncoderTokenizer DPRReaderTokenizer "
    "DebertaTokenizer DebertaV2Tokenizer DiaTokenizer DistilBertTokenizer EsmTokenizer "
    "EsmcTokenizer FNetTokenizer FSMTTokenizer FastSpeech2ConformerTokenizer "
    "FlaubertTokenizer FunnelTokenizer GPTNeoXJapaneseTokenizer GPTSw3Tokenizer "
    "HerbertTokenizer LEDTokenizer LasrTokenizer LayoutLMv2Tokenizer LayoutLMv3Tokenizer "
    "LayoutXLMTokenizer LukeTokenizer LxmertTokenizer M2M100Tokenizer MBart50Tokenizer "
    "MBartTokenizer MLukeTokenizer MPNetTokenizer MarianTokenizer MarkupLMTokenizer "
    "MgpstrTokenizer MistralCommonBackend MobileBertTokenizer MvpTokenizer MyT5Tokenizer "
    "NllbTokenizer NougatTokenizer OpenAIGPTTokenizer PLBartTokenizer ParakeetTokenizer "
    "PegasusTokenizer PerceiverTokenizer PhobertTokenizer Pop2PianoTokenizer "
    "ProphetNetTokenizer RagTokenizer ReformerTokenizer RemBertTokenizer RoCBertTokenizer "
    "RoFormerTokenizer RobertaTokenizer SeamlessM4TTokenizer SentencePieceBackend "
    "Siglip2Tokenizer SiglipTokenizer Speech2TextTokenizer SpeechT5Tokenizer "
    "SplinterTokenizer SqueezeBertTokenizer TapasTokenizer Tipsv2Tokenizer "
    "UdopTokenizer VideoPrismTokenizer VitsTokenizer Wav2Vec2CTCTokenizer "
    "Wav2Vec2PhonemeCTCTokenizer WhisperTokenizer "
    "XLMTokenizer XLNetTokenizer";

/* Types whose class a tokenizer_class does not overrule: MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS. */
static const char MISTAKEN[] =
    "arctic camembertv2-base chatlm cohere_asr ernie4_5 ernie4_5_moe fuyu h2ovl_chat "
    "hyperclovax hyperclovax_vision_v2 hyperclovax_vlm internlm2 internlm3 iquestcoder jamba "
    "llava llava_next minicpm3 minicpmv minimax_m2 modernbert modernbert-decoder molmo molmo2 "
    "nemotron nvfp4 opencua openvla paddleocr_vl phi3 phi3_v phimoe qwen2 qwen3_5 qwen3_5_moe "
    "qwen3_5_moe_text qwen4_exp siglip2 smolvlm step3_vl vipllava";

/* clang-format off: a class a row, and its types */
static const struct {
    const char *name, *types;
} TYPES[] = {
    {"LlamaTokenizer", "idefics idefics2"},
    {"GemmaTokenizer",
     "diffusion_gemma gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text recurrent_gemma "
     "shieldgemma2 t5gemma zaya"},
    {"Qwen2Tokenizer",
     "audioflamingo3 colqwen2 cosmos3_omni dots3_note fun_asr_nano hunyuan_vl internvl "
     "lighton_ocr moss_transcribe_diarize ovis2 qianfan_ocr qwen2 qwen2_5_omni qwen2_5_vl "
     "qwen2_audio qwen2_moe qwen2_vl qwen3 qwen3_asr qwen3_moe qwen3_next qwen3_omni_moe "
     "qwen3_vl qwen3_vl_moe vibevoice"},
    {"Qwen3_5Tokenizer", "qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen4_exp"},
    {"GPT2Tokenizer",
     "blip-2 codegen dbrx emu3 gpt-sw3 gpt2 gpt_neo gptj hyperclovax_vision_v2 instructblip "
     "instructblipvideo jais2 opt phi starcoder2"},
    {"GPTNeoXTokenizer", "falcon_mamba gpt_neox mamba mamba2 mpt olmo olmoe rwkv xlstm"},
    {"CohereTokenizer", "aya_vision cohere cohere2"},
    {"TokenizersBackend",
     "EvollaModel arctic aria beam bigbird_pegasus camembertv2-base canary chatlm cohere_asr "
     "ernie4_5 ernie4_5_moe flex_olmo fuyu glm glm4 glm4_moe glm4_moe_lite glm4v glm4v_moe "
     "glm_image glmasr got_ocr2 gpt_bigcode gradium_phonon_tts granite granitemoe "
     "granitemoehybrid granitemoeshared h2ovl_chat hyperclovax hyperclovax_vlm internlm2 "
     "internlm3 iquestcoder jamba kimi_k25 kimi_linear kosmos-2 llava llava_next mimo_v2_flash "
     "minicpm3 minicpm_ocr minicpmv minicpmv4_6 minicpmv4_7 minimax_m2 ministral ministral3 "
     "mistral mistral3 mistral_large4 mixtral modernbert modernbert-decoder molmo molmo2 "
     "nemo_speechlm nemotron nvfp4 nystromformer olmo2 olmo3 olmo_hybrid omniasr opencua "
     "openvla paddleocr_vl pegasus_x persimmon phi3 phi3_v phimoe pix2struct pixtral "
     "pocket_tts smolvlm stablelm step3_vl umt5 vipllava voxtral voxtral_realtime "
     "xlm-roberta-xl"},
    {"AlbertTokenizer", "albert yoso"},
    {"BartTokenizer", "florence2"},
    {"BertTokenizer",
     "align bark bert blip bros chinese_clip convbert distilbert electra ernie flava git "
     "grounding-dino layoutlm megatron-bert mm-grounding-dino nomic_bert squeezebert tvp vilt "
     "visual_bert"},
    {"BigBirdTokenizer", "big_bird"},
    {"BioGptTokenizer", "biogpt"},
    {"BlenderbotSmallTokenizer", "blenderbot-small"},
    {"BlenderbotTokenizer", "blenderbot"},
    {"CLIPTokenizer", "aimv2 clip clipseg groupvit omdet-turbo oneformer owlv2 owlvit sam3 sam3_video xclip"},
    {"CTRLTokenizer", "ctrl"},
    {"CamembertTokenizer", "camembert"},
    {"CanineTokenizer", "canine"},
    {"ClvpTokenizer", "clvp"},
    {"CpmAntTokenizer", "cpmant"},
    {"DPRQuestionEncoderTokenizer", "dpr"},
    {"DebertaTokenizer", "deberta"},
    {"DebertaV2Tokenizer", "deberta-v2"},
    {"DiaTokenizer", "dia"},
    {"EsmTokenizer", "esm"},
    {"EsmcTokenizer", "esmc esmfold2"},
    {"FNetTokenizer", "fnet"},
    {"FSMTTokenizer", "fsmt"},
    {"FlaubertTokenizer", "flaubert"},
    {"FunnelTokenizer", "funnel"},
    {"GPTNeoXJapaneseTokenizer", "gpt_neox_japanese"},
    {"LEDTokenizer", "led"},
    {"LasrTokenizer", "lasr_ctc lasr_encoder"},
    {"LayoutLMv2Tokenizer", "layoutlmv2"},
    {"LayoutLMv3Tokenizer", "layoutlmv3"},
    {"LayoutXLMTokenizer", "layoutxlm"},
    {"LukeTokenizer", "luke"},
    {"LxmertTokenizer", "lxmert"},
    {"MBartTokenizer", "mbart"},
    {"MPNetTokenizer", "mpnet"},
    {"MarkupLMTokenizer", "markuplm"},
    {"MgpstrTokenizer", "mgp-str"},
    {"MobileBertTokenizer", "mobilebert"},
    {"MvpTokenizer", "mvp"},
    {"NllbTokenizer", "nllb-moe"},
    {"NougatTokenizer", "nougat pp_formulanet"},
    {"OpenAIGPTTokenizer", "openai-gpt"},
    {"PLBartTokenizer", "plbart"},
    {"ParakeetTokenizer",
     "granite_speech5_ctc nemotron3_5_asr nemotron_asr_streaming omniasr_ctc parakeet_ctc "
     "parakeet_rnnt parakeet_tdt"},
    {"PegasusTokenizer", "pegasus"},
    {"PerceiverTokenizer", "perceiver"},
    {"ProphetNetTokenizer", "prophetnet"},
    {"RagTokenizer", "rag"},
    {"ReformerTokenizer", "reformer"},
    {"RemBertTokenizer", "rembert"},
    {"RoCBertTokenizer", "roc_bert"},
    {"RoFormerTokenizer", "roformer"},
    {"RobertaTokenizer",
     "bart bridgetower clap data2vec-text ibert lilt longformer mra roberta "
     "roberta-prelayernorm"},
    {"SeamlessM4TTokenizer", "seamless_m4t seamless_m4t_v2"},
    {"Siglip2Tokenizer", "siglip2"},
    {"SplinterTokenizer", "splinter"},
    {"T5Tokenizer", "mt5 musicgen musicgen_melody switch_transformers t5"},
    {"TapasTokenizer", "tapas"},
    {"UdopTokenizer", "udop"},
    {"VideoPrismTokenizer", "videoprism"},
    {"VitsTokenizer", "vits"},
    {"Wav2Vec2CTCTokenizer",
     "data2vec-audio hubert unispeech unispeech-sat wav2vec2 wav2vec2-bert wav2vec2-conformer"},
    {"WhisperTokenizer", "whisper"},
    {"XGLMTokenizer", "xglm"},
    {"XLMRobertaTokenizer", "gte jina_embeddings_v3 metaclip_2 trocr xlm-roberta xmod"},
    {"XLMTokenizer", "xlm"},
    {"XLNetTokenizer", "xlnet"},
};
/* clang-format on */

/* True where the words, with single blanks between them, have the first `length` bytes of `word` among them. */
static bool has_word(const char *words, const char *word, size_t length) {
    if (length == 0) return false;
    while (*words != '\0') {
        size_t next = strcspn(words, " ");
        if (next == length && memcmp(words, word, length) == 0) return true;
        words += next + strspn(words + next, " ");
    }
    return false;
}

/* The length of the name without "Fast" at its end. */
static size_t bare_length(const char *name) {
    static const char FAST[] = "Fast";
    size_t length = strlen(name), ending = sizeof FAST - 1;
    return length > ending && strcmp(name + length - ending, FAST) == 0 ? length - ending : length;
}

bool tokenizer_class_is_same(const char *a, const char *b) {
    size_t length = bare_length(a);
    return length == bare_length(b) && memcmp(a, b, length) == 0;
}

const TokenizerClass *tokenizer_class_find(const char *name) {
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
        if (tokenizer_class_is_same(CLASSES[i].name, name)) return &CLASSES[i];
    }
    return NULL;
}

bool tokenizer_class_exists(const char *name) {
    return tokenizer_class_find(name) != NULL || has_word(OTHERS, name, bare_length(name));
}

const char *tokenizer_class_of_type(const char *model_type) {
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (has_word(TYPES[i].types, model_type, strlen(model_type))) return TYPES[i].name;
    }
    return NULL;
}

bool tokenizer_class_is_mistaken(const char *model_type) {
    return has_word(MISTAKEN, model_type, strlen(model_type));
}
