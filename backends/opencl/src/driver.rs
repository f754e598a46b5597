//! The driver calls that are made, with their errors as values.
//!
//! Below `ocl`'s own wrappers: those panic on error codes that only a vendor knows, and when something
//! is released after its device was lost.

use std::ffi::{CString, c_void};
use std::ptr::{null, null_mut};
use std::rc::Rc;

use ff_backend::{BackendError, Result};
use ocl::core::DeviceId;
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
        ffi::CL_INVALID_BUFFER_SIZE => "CL_INVALID_BUFFER_SIZE",
        ffi::CL_PLATFORM_NOT_FOUND_KHR => "CL_PLATFORM_NOT_FOUND_KHR",
        NVIDIA_ILLEGAL_ACCESS => "illegal memory access",
        _ => "OpenCL error",
    };
    format!("{name} ({code})")
}

/// An error of a call that only enqueues.
pub(crate) fn check(code: i32, operation: &'static str) -> Result<()> {
    match code {
        ffi::CL_SUCCESS => Ok(()),
        ffi::CL_DEVICE_NOT_AVAILABLE
        | ffi::CL_INVALID_COMMAND_QUEUE
        | ffi::CL_INVALID_CONTEXT
        | NVIDIA_ILLEGAL_ACCESS => Err(BackendError::DeviceLost(format!("{operation}: {}", name_of(code)))),
        _ => Err(BackendError::Driver { operation, message: name_of(code) }),
    }
}

/// An error of a call that waits: what was enqueued before may be what failed.
pub(crate) fn check_waiting(code: i32, operation: &'static str) -> Result<()> {
    match code {
        ffi::CL_OUT_OF_RESOURCES => Err(BackendError::DeviceLost(format!("{operation}: {}", name_of(code)))),
        _ => check(code, operation),
    }
}

macro_rules! owned {
    ($(#[$about:meta])* $name:ident, $raw:ty, $release:path) => {
        $(#[$about])*
        pub(crate) struct $name($raw);

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: made by its create call, released once. A failure has no remedy here.
                unsafe { $release(self.0) };
            }
        }
    };
}

owned!(
    /// A context of one device.
    Context, ffi::cl_context, ffi::clReleaseContext
);
owned!(
    /// An in-order queue.
    Queue, ffi::cl_command_queue, ffi::clReleaseCommandQueue
);
owned!(
    /// Memory on the device.
    Memory, ffi::cl_mem, ffi::clReleaseMemObject
);
owned!(
    /// A program.
    Program, ffi::cl_program, ffi::clReleaseProgram
);
owned!(
    /// A kernel with its arguments, which each launch sets anew.
    Kernel, ffi::cl_kernel, ffi::clReleaseKernel
);

impl Context {
    pub(crate) fn new(device: DeviceId) -> Result<Self> {
        let (raw, mut code) = (device.as_raw(), 0);
        // SAFETY: one live device id, no properties, no callback.
        let context = unsafe { ffi::clCreateContext(null(), 1, &raw, None, null_mut(), &mut code) };
        check(code, "clCreateContext").map(|()| Context(context))
    }

    /// Memory of `bytes` > 0 bytes, or the driver's error code.
    pub(crate) fn memory(&self, bytes: usize) -> std::result::Result<Memory, i32> {
        let mut code = 0;
        // SAFETY: a live context; the memory is the device's own.
        let memory =
            unsafe { ffi::clCreateBuffer(self.0, ffi::CL_MEM_READ_WRITE, bytes, null_mut(), &mut code) };
        if code == ffi::CL_SUCCESS { Ok(Memory(memory)) } else { Err(code) }
    }

    pub(crate) fn program(&self, source: &str) -> Result<Program> {
        let (text, length, mut code) = (source.as_ptr().cast(), source.len(), 0);
        // SAFETY: one string with its length; the driver copies it.
        let program = unsafe { ffi::clCreateProgramWithSource(self.0, 1, &text, &length, &mut code) };
        check(code, "clCreateProgramWithSource").map(|()| Program(program))
    }
}

impl Program {
    /// Compiles; the error code, if it fails.
    pub(crate) fn build(&self, device: DeviceId, options: &str) -> std::result::Result<(), i32> {
        let Ok(options) = CString::new(options) else { return Err(ffi::CL_INVALID_BUILD_OPTIONS) };
        let raw = device.as_raw();
        // SAFETY: live program and device, options end with NUL, no callback: the call waits.
        let code = unsafe { ffi::clBuildProgram(self.0, 1, &raw, options.as_ptr(), None, null_mut()) };
        if code == ffi::CL_SUCCESS { Ok(()) } else { Err(code) }
    }

    /// What the compiler said.
    pub(crate) fn log(&self, device: DeviceId) -> String {
        let (raw, key, mut size) = (device.as_raw(), ffi::CL_PROGRAM_BUILD_LOG, 0);
        // SAFETY: asks for the size first, then for as many bytes.
        let text = unsafe {
            ffi::clGetProgramBuildInfo(self.0, raw, key, 0, null_mut(), &mut size);
            let mut text = vec![0u8; size];
            ffi::clGetProgramBuildInfo(self.0, raw, key, size, text.as_mut_ptr().cast(), null_mut());
            text
        };
        String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned()
    }

    pub(crate) fn kernel(&self, name: &str) -> Result<Kernel> {
        let Ok(c_name) = CString::new(name) else {
            return Err(BackendError::Driver { operation: "clCreateKernel", message: name.into() });
        };
        let mut code = 0;
        // SAFETY: a built program and a name that ends with NUL.
        let kernel = unsafe { ffi::clCreateKernel(self.0, c_name.as_ptr(), &mut code) };
        match check(code, "clCreateKernel") {
            Ok(()) => Ok(Kernel(kernel)),
            Err(_) => Err(BackendError::Driver {
                operation: "clCreateKernel",
                message: format!("{name}: {}", name_of(code)),
            }),
        }
    }
}

/// One argument of a launch.
pub(crate) enum Arg {
    /// Memory on the device.
    Memory(ffi::cl_mem),
    /// `int`.
    Int(i32),
    /// `uint`.
    Uint(u32),
    /// `float`.
    Float(f32),
    /// `float16`.
    Float16([f32; 16]),
}

impl Memory {
    pub(crate) fn arg(&self) -> Arg {
        Arg::Memory(self.0)
    }
}

impl Kernel {
    /// # Safety
    /// The argument must have the type of the kernel's parameter `index`.
    unsafe fn set(&self, index: usize, arg: &Arg) -> i32 {
        fn bytes<T>(value: &T) -> (usize, *const c_void) {
            (size_of::<T>(), std::ptr::from_ref(value).cast())
        }
        let (size, value) = match arg {
            Arg::Memory(x) => bytes(x),
            Arg::Int(x) => bytes(x),
            Arg::Uint(x) => bytes(x),
            Arg::Float(x) => bytes(x),
            Arg::Float16(x) => bytes(x),
        };
        // SAFETY: `value` holds `size` bytes, which the driver copies.
        unsafe { ffi::clSetKernelArg(self.0, index as u32, size, value) }
    }
}

impl Queue {
    pub(crate) fn new(context: &Context, device: DeviceId) -> Result<Rc<Self>> {
        let mut code = 0;
        // SAFETY: live context and device; no properties: in order.
        let queue = unsafe { ffi::clCreateCommandQueue(context.0, device.as_raw(), 0, &mut code) };
        check(code, "clCreateCommandQueue").map(|()| Rc::new(Queue(queue)))
    }

    /// Enqueues `groups` work-groups of `items` work-items.
    ///
    /// # Safety
    /// `args` must be the kernel's parameters in order, with memory as large as it reads and writes.
    pub(crate) unsafe fn launch(
        &self,
        kernel: &Kernel,
        groups: [usize; 2],
        items: [usize; 2],
        args: &[Arg],
    ) -> Result<()> {
        for (index, arg) in args.iter().enumerate() {
            // SAFETY: the caller's promise.
            check(unsafe { kernel.set(index, arg) }, "clSetKernelArg")?;
        }
        let global = [groups[0] * items[0], groups[1] * items[1]];
        // SAFETY: live queue and kernel, two dimensions, no events.
        let code = unsafe {
            ffi::clEnqueueNDRangeKernel(
                self.0,
                kernel.0,
                2,
                null(),
                global.as_ptr(),
                items.as_ptr(),
                0,
                null(),
                null_mut(),
            )
        };
        check(code, "clEnqueueNDRangeKernel")
    }

    /// Sets `bytes` bytes to 0; a multiple of 4. The error code, if it fails.
    pub(crate) fn clear(&self, target: &Memory, bytes: usize) -> i32 {
        let zero = 0u32;
        let pattern = std::ptr::from_ref(&zero).cast();
        // SAFETY: the caller made `target` with at least `bytes` bytes; the pattern is copied.
        unsafe { ffi::clEnqueueFillBuffer(self.0, target.0, pattern, 4, 0, bytes, 0, null(), null_mut()) }
    }

    pub(crate) fn copy(&self, source: &Memory, target: &Memory, bytes: usize) -> Result<()> {
        // SAFETY: the caller made both with at least `bytes` bytes.
        let code = unsafe {
            ffi::clEnqueueCopyBuffer(self.0, source.0, target.0, 0, 0, bytes, 0, null(), null_mut())
        };
        check(code, "clEnqueueCopyBuffer")
    }

    /// Waits: `values` is the caller's.
    pub(crate) fn write<T>(&self, target: &Memory, values: &[T]) -> Result<()> {
        let bytes = size_of_val(values);
        // SAFETY: a blocking copy out of `values` into memory that holds as many bytes.
        let code = unsafe {
            let from = values.as_ptr().cast();
            ffi::clEnqueueWriteBuffer(self.0, target.0, 1, 0, bytes, from, 0, null(), null_mut())
        };
        check_waiting(code, "upload")
    }

    /// Waits for everything enqueued before.
    pub(crate) fn read<T: Copy + Default>(&self, source: &Memory, count: usize) -> Result<Vec<T>> {
        let mut values = vec![T::default(); count];
        // SAFETY: a blocking copy of as many bytes as `values` has.
        let code = unsafe {
            let (bytes, to) = (count * size_of::<T>(), values.as_mut_ptr().cast());
            ffi::clEnqueueReadBuffer(self.0, source.0, 1, 0, bytes, to, 0, null(), null_mut())
        };
        check_waiting(code, "download").map(|()| values)
    }

    pub(crate) fn flush(&self) -> Result<()> {
        // SAFETY: a live queue.
        check(unsafe { ffi::clFlush(self.0) }, "clFlush")
    }

    pub(crate) fn finish(&self) -> Result<()> {
        // SAFETY: a live queue.
        check_waiting(unsafe { ffi::clFinish(self.0) }, "synchronize")
    }
}
