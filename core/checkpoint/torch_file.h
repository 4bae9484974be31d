/*
 * torch_file — the file that torch.save() writes of a dict of tensors (pytorch_model.bin), read without PyTorch and
 * without running any of it.
 *
 *     NAME/data.pkl      a pickle: for each tensor its name, shape, strides, and where it begins in which storage
 *     NAME/byteorder     "little"
 *     NAME/data/0, …     the storages, as they are in memory; tied tensors are two views of one
 *
 * The pickle is read as data (pickle.h), and may name what torch._utils rebuilds of plain tensors and parameters alone. Whatever
 * else it holds is refused by name with STATUS_UNSUPPORTED: other objects, dicts in the dict, tensors without storage, archives
 * of TorchScript; and the form before PyTorch 1.6, compressed members, another byte order. STATUS_FORMAT: broken.
 *
 * A tensor's elements lie in the mapped file, in whatever order and however often; the elements of one whose strides are not
 * those of its shape are copied in order, of all tensors together no more bytes than the file has.
 */
#ifndef REJUV_CORE_TORCH_FILE_H
#define REJUV_CORE_TORCH_FILE_H

#include "core/checkpoint/safetensors.h"

/* Maps `path` read-only and checks it. The caller closes the result with safetensors_close(). */
Status torch_file_open(const char *path, SafetensorsFile **file, Error *error) STATUS_MUST_CHECK;

#endif
