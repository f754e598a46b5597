//! The driver's error codes, and what they mean.

use ff_backend::{BackendError, Result};
use ocl::core::ffi;

/// What NVIDIA's driver answers once a kernel has touched memory that is not its own.
const NVIDIA_ILLEGAL_ACCESS: i32 = -9999;

/// The driver's name of an error code.
pub(crate) fn name_of(code: i32) -> String {
    let name = match code {
        ffi::CL_DEVICE_NOT_FOUND => "CL_DEVICE_NOT_FOUND",
        ffi::CL_DEVICE_NOT_AVAILABLE => "CL_DEVICE_NOT_AVAILABLE",
        ffi::CL_MEM_OBJECT_ALLOCATION_FAILURE => "CL_MEM_OBJECT_ALLOCATION_FAILURE",
        ffi::CL_OUT_OF_RESOURCES => "CL_OUT_OF_RESOURCES",
        ffi::CL_OUT_OF_HOST_MEMORY => "CL_OUT_OF_HOST_MEMORY",
        ffi::CL_BUILD_PROGRAM_FAILURE => "CL_BUILD_PROGRAM_FAILURE",
        ffi::CL_INVALID_COMMAND_QUEUE => "CL_INVALID_COMMAND_QUEUE",
        ffi::CL_INVALID_CONTEXT => "CL_INVALID_CONTEXT",
        ffi::CL_INVALID_KERNEL_ARGS => "CL_INVALID_KERNEL_ARGS",
        ffi::CL_INVALID_ARG_SIZE => "CL_INVALID_ARG_SIZE",
        ffi::CL_INVALID_KERNEL_NAME => "CL_INVALID_KERNEL_NAME",
        ffi::CL_INVALID_WORK_GROUP_SIZE => "CL_INVALID_WORK_GROUP_SIZE",
        ffi::CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST => "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST",
        ffi::CL_INVALID_BUFFER_SIZE => "CL_INVALID_BUFFER_SIZE",
        ffi::CL_PLATFORM_NOT_FOUND_KHR => "CL_PLATFORM_NOT_FOUND_KHR",
        NVIDIA_ILLEGAL_ACCESS => "illegal memory access",
        _ => "OpenCL error",
    };
    format!("{name} ({code})")
}

/// Whether an error code says that memory is wanting.
pub(crate) fn is_of_memory(code: i32) -> bool {
    [ffi::CL_MEM_OBJECT_ALLOCATION_FAILURE, ffi::CL_OUT_OF_RESOURCES, ffi::CL_OUT_OF_HOST_MEMORY]
        .contains(&code)
}

/// What an error code of a call means.
pub(crate) fn failure(code: i32, operation: &'static str) -> BackendError {
    match code {
        ffi::CL_DEVICE_NOT_AVAILABLE
        | ffi::CL_INVALID_COMMAND_QUEUE
        | ffi::CL_INVALID_CONTEXT
        | NVIDIA_ILLEGAL_ACCESS => BackendError::DeviceLost(format!("{operation}: {}", name_of(code))),
        _ => BackendError::Driver { operation, message: name_of(code) },
    }
}

/// An error of a call that only enqueues.
pub(crate) fn check(code: i32, operation: &'static str) -> Result<()> {
    if code == ffi::CL_SUCCESS { Ok(()) } else { Err(failure(code, operation)) }
}

/// An error of a call that waits: what was enqueued before may be what failed.
pub(crate) fn check_waiting(code: i32, operation: &'static str) -> Result<()> {
    match code {
        ffi::CL_OUT_OF_RESOURCES => Err(BackendError::DeviceLost(format!("{operation}: {}", name_of(code)))),
        _ => check(code, operation),
    }
}
