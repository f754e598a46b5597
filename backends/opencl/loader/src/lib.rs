//! The OpenCL functions that ff-backend-opencl calls, under their own names.
//!
//! Each looks itself up in libOpenCL.so.1 when it is first called. A program that links this crate starts where no
//! OpenCL is installed, and needs none to be built. Without the library every function fails: with
//! [`NO_LIBRARY`] as error code, or with a null handle and that code.

use std::ffi::{c_char, c_void};
use std::sync::OnceLock;

use cl_sys::{
    cl_bool, cl_command_queue, cl_command_queue_properties, cl_context, cl_context_properties, cl_device_id,
    cl_device_info, cl_device_type, cl_event, cl_event_info, cl_int, cl_kernel, cl_kernel_work_group_info,
    cl_mem, cl_mem_flags, cl_platform_id, cl_platform_info, cl_profiling_info, cl_program,
    cl_program_build_info, cl_program_info, cl_uint,
};
use libloading::Library;

/// The file that is loaded: the loader which finds the drivers that are installed.
pub const LIBRARY: &str = "libOpenCL.so.1";

/// Error code of every function where the library or the function in it is missing: CL_PLATFORM_NOT_FOUND_KHR.
pub const NO_LIBRARY: cl_int = -1001;

/// Loads the library, once in a process; what the system's loader says if it cannot.
pub fn load() -> Result<(), String> {
    library().map(|_| ())
}

fn library() -> Result<&'static Library, String> {
    static LOADED: OnceLock<Result<Library, String>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| {
        // SAFETY: the loader's initialization runs, as it would if the program were linked to it.
        unsafe { Library::new(LIBRARY) }.map_err(|error| error.to_string())
    });
    loaded.as_ref().map_err(Clone::clone)
}

/// Defines functions of the library with their C signatures and what each gives where it cannot be had.
macro_rules! functions {
    ($(fn $name:ident($($argument:ident: $kind:ty),* $(,)?) -> $result:ty, else $failure:expr;)*) => {$(
        /// See the OpenCL specification.
        ///
        /// # Safety
        /// As the OpenCL specification says.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case)]
        pub unsafe extern "C" fn $name($($argument: $kind),*) -> $result {
            type Function = unsafe extern "C" fn($($kind),*) -> $result;
            static FOUND: OnceLock<Option<Function>> = OnceLock::new();
            let found = FOUND.get_or_init(|| {
                let library = library().ok()?;
                // SAFETY: the library's function of this name has this signature.
                let symbol = unsafe { library.get::<Function>(concat!(stringify!($name), "\0").as_bytes()) };
                symbol.ok().map(|function| *function)
            });
            match found {
                // SAFETY: the caller's promise.
                Some(function) => unsafe { function($($argument),*) },
                None => $failure,
            }
        }
    )*};
}

/// A null handle, and the error code where the caller wants it.
///
/// # Safety
/// `code` is null or can be written.
unsafe fn none<T>(code: *mut cl_int) -> *mut T {
    if !code.is_null() {
        // SAFETY: the caller's promise.
        unsafe { *code = NO_LIBRARY };
    }
    std::ptr::null_mut()
}

type Notify<T> = Option<extern "C" fn(T, *mut c_void)>;
type ContextNotify = Option<extern "C" fn(*const c_char, *const c_void, usize, *mut c_void)>;

functions! {
    fn clGetPlatformIDs(entries: cl_uint, platforms: *mut cl_platform_id, count: *mut cl_uint) -> cl_int, else NO_LIBRARY;
    fn clGetPlatformInfo(platform: cl_platform_id, key: cl_platform_info, size: usize, value: *mut c_void, used: *mut usize) -> cl_int, else NO_LIBRARY;
    fn clGetDeviceIDs(platform: cl_platform_id, kind: cl_device_type, entries: cl_uint, devices: *mut cl_device_id, count: *mut cl_uint) -> cl_int, else NO_LIBRARY;
    fn clGetDeviceInfo(device: cl_device_id, key: cl_device_info, size: usize, value: *mut c_void, used: *mut usize) -> cl_int, else NO_LIBRARY;
    // SAFETY: as this call's caller promised.
    fn clCreateContext(properties: *const cl_context_properties, count: cl_uint, devices: *const cl_device_id, notify: ContextNotify, data: *mut c_void, code: *mut cl_int) -> cl_context, else unsafe { none(code) };
    fn clReleaseContext(context: cl_context) -> cl_int, else NO_LIBRARY;
    // SAFETY: as this call's caller promised.
    fn clCreateCommandQueue(context: cl_context, device: cl_device_id, properties: cl_command_queue_properties, code: *mut cl_int) -> cl_command_queue, else unsafe { none(code) };
    fn clReleaseCommandQueue(queue: cl_command_queue) -> cl_int, else NO_LIBRARY;
    // SAFETY: as this call's caller promised.
    fn clCreateBuffer(context: cl_context, flags: cl_mem_flags, size: usize, host: *mut c_void, code: *mut cl_int) -> cl_mem, else unsafe { none(code) };
    fn clReleaseMemObject(memory: cl_mem) -> cl_int, else NO_LIBRARY;
    // SAFETY: as this call's caller promised.
    fn clCreateProgramWithSource(context: cl_context, count: cl_uint, strings: *const *const c_char, lengths: *const usize, code: *mut cl_int) -> cl_program, else unsafe { none(code) };
    fn clBuildProgram(program: cl_program, count: cl_uint, devices: *const cl_device_id, options: *const c_char, notify: Notify<cl_program>, data: *mut c_void) -> cl_int, else NO_LIBRARY;
    fn clGetProgramInfo(program: cl_program, key: cl_program_info, size: usize, value: *mut c_void, used: *mut usize) -> cl_int, else NO_LIBRARY;
    fn clGetProgramBuildInfo(program: cl_program, device: cl_device_id, key: cl_program_build_info, size: usize, value: *mut c_void, used: *mut usize) -> cl_int, else NO_LIBRARY;
    fn clReleaseProgram(program: cl_program) -> cl_int, else NO_LIBRARY;
    // SAFETY: as this call's caller promised.
    fn clCreateKernel(program: cl_program, name: *const c_char, code: *mut cl_int) -> cl_kernel, else unsafe { none(code) };
    fn clReleaseKernel(kernel: cl_kernel) -> cl_int, else NO_LIBRARY;
    fn clSetKernelArg(kernel: cl_kernel, index: cl_uint, size: usize, value: *const c_void) -> cl_int, else NO_LIBRARY;
    fn clGetKernelWorkGroupInfo(kernel: cl_kernel, device: cl_device_id, key: cl_kernel_work_group_info, size: usize, value: *mut c_void, used: *mut usize) -> cl_int, else NO_LIBRARY;
    fn clEnqueueNDRangeKernel(queue: cl_command_queue, kernel: cl_kernel, dimensions: cl_uint, offset: *const usize, global: *const usize, local: *const usize, count: cl_uint, after: *const cl_event, event: *mut cl_event) -> cl_int, else NO_LIBRARY;
    fn clEnqueueReadBuffer(queue: cl_command_queue, memory: cl_mem, blocking: cl_bool, offset: usize, size: usize, to: *mut c_void, count: cl_uint, after: *const cl_event, event: *mut cl_event) -> cl_int, else NO_LIBRARY;
    fn clEnqueueWriteBuffer(queue: cl_command_queue, memory: cl_mem, blocking: cl_bool, offset: usize, size: usize, from: *const c_void, count: cl_uint, after: *const cl_event, event: *mut cl_event) -> cl_int, else NO_LIBRARY;
    fn clEnqueueCopyBuffer(queue: cl_command_queue, from: cl_mem, to: cl_mem, from_offset: usize, to_offset: usize, size: usize, count: cl_uint, after: *const cl_event, event: *mut cl_event) -> cl_int, else NO_LIBRARY;
    fn clEnqueueFillBuffer(queue: cl_command_queue, memory: cl_mem, pattern: *const c_void, pattern_size: usize, offset: usize, size: usize, count: cl_uint, after: *const cl_event, event: *mut cl_event) -> cl_int, else NO_LIBRARY;
    fn clEnqueueMarkerWithWaitList(queue: cl_command_queue, count: cl_uint, after: *const cl_event, event: *mut cl_event) -> cl_int, else NO_LIBRARY;
    fn clGetEventInfo(event: cl_event, key: cl_event_info, size: usize, value: *mut c_void, used: *mut usize) -> cl_int, else NO_LIBRARY;
    fn clGetEventProfilingInfo(event: cl_event, key: cl_profiling_info, size: usize, value: *mut c_void, used: *mut usize) -> cl_int, else NO_LIBRARY;
    fn clReleaseEvent(event: cl_event) -> cl_int, else NO_LIBRARY;
    fn clFlush(queue: cl_command_queue) -> cl_int, else NO_LIBRARY;
    fn clFinish(queue: cl_command_queue) -> cl_int, else NO_LIBRARY;
}
