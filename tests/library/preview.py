"""librejuv from Python: preview.py LIBRARY BASE SFT ALPHA PROMPT prints the most likely next token of the fused model and its
probability. Only numbers and pointers cross; what lies behind a pointer is the library's."""
import ctypes
import math
import sys
from ctypes import POINTER, byref, c_bool, c_char, c_double, c_float, c_int, c_int32, c_size_t, c_uint64, c_void_p

library, base, sft, alpha, prompt = sys.argv[1:]
rejuv = ctypes.CDLL(library)


class Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("message", c_char * 1024)]


class Ids(ctypes.Structure):  # TokenList
    _fields_ = [("ids", POINTER(c_int32)), ("count", c_size_t), ("capacity", c_size_t)]


class Input(ctypes.Structure):  # ForwardInput
    _fields_ = [("ids", POINTER(c_int32)), ("starts", c_void_p), ("places", c_void_p), ("count", c_size_t),
                ("stage", c_void_p), ("done", c_uint64), ("total", c_uint64), ("observer", c_void_p), ("user", c_void_p),
                ("rest", c_char * 64)]  # what later versions add: zero


class Head(ctypes.Structure):  # ForwardHead
    _fields_ = [("settings", c_void_p), ("hidden", c_void_p), ("logits", POINTER(c_float))]


class Settings(ctypes.Structure):  # of which only α is set here; settings_at() fills as much as there is
    _fields_ = [("alpha", c_double), ("rest", c_char * 4096)]


def call(name, *arguments):
    error = Error()
    if getattr(rejuv, name)(*arguments, byref(error)) != 0:
        sys.exit(error.message.decode())


def made(name, *arguments):
    result = c_void_p()
    call(name, *arguments, byref(result))
    return result


rejuv.settings_at.restype = Settings
rejuv.settings_at.argtypes = [c_double]
rejuv.forward_hidden.restype = c_void_p
rejuv.forward_vocabulary.restype = c_size_t
text = prompt.encode()
settings = rejuv.settings_at(float(alpha))
pair = made("pair_open", base.encode(), sft.encode())
model = made("model_open", pair)
tokenizer = made("tokenizer_open_directory", sft.encode(), 0)
job = made("job_create", 0, None, None)
scratch = made("matmul_create_scratch", rejuv.job_threads(job))
ids = Ids()
call("tokenizer_encode", tokenizer, text, c_size_t(len(text)), c_bool(True), byref(ids))
state = made("forward_create_state", model, byref(settings), c_size_t(ids.count))
call("forward_run", byref(state), c_size_t(1), byref(Input(ids=ids.ids, count=ids.count)), scratch, job)
hidden = c_void_p(rejuv.forward_hidden(state))
logits = (c_float * (ids.count * rejuv.forward_vocabulary(model)))()
head = Head(ctypes.cast(byref(settings), c_void_p), hidden, logits)
call("forward_logits", model, byref(head), c_size_t(1), c_size_t(ids.count), scratch, job)
last = logits[-rejuv.forward_vocabulary(model):]
total = math.fsum(math.exp(x - max(last)) for x in last)
print(last.index(max(last)), f"{1 / total:.6f}")
