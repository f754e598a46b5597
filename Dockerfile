# docker build --build-arg FF_COMMIT=$(git rev-parse HEAD) -t forward-forward .
# docker run --rm -v "$PWD:/work" forward-forward train 200 200 --dataset digits --recipe contrast --num-epochs 20
# A GPU: docker run --gpus all …, with the vendor's container toolkit, which brings the OpenCL driver along.
FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install --yes --no-install-recommends libopenblas-dev pkg-config && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG FF_COMMIT
RUN FF_COMMIT=$FF_COMMIT cargo install --locked --path . --root /installed

FROM debian:trixie-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates libopenblas0 ocl-icd-libopencl1 \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /etc/OpenCL/vendors && echo libnvidia-opencl.so.1 >/etc/OpenCL/vendors/nvidia.icd
COPY --from=build /installed/bin/ff /usr/local/bin/ff
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /work
ENTRYPOINT ["ff"]
CMD ["--help"]
