/*
 * weights_file — a file of tensors in whichever of the two forms its name has: safetensors, or what torch.save() writes
 * (".bin"; torch_file.h).
 */
#ifndef REJUV_CORE_WEIGHTS_FILE_H
#define REJUV_CORE_WEIGHTS_FILE_H

#include "core/checkpoint/safetensors.h"

/* Opens DIRECTORY/NAME. What a file of PyTorch's has besides tensors is refused with the command that helps; the path in
 * messages is the file's. The caller closes the result with safetensors_close(). */
Status weights_file_open(const char *directory, const char *name, SafetensorsFile **file,
                         Error *error) STATUS_MUST_CHECK;

#endif
